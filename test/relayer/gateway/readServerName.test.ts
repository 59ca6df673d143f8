import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { connect } from "node:tls";

import { expect } from "chai";

import { isCharterError } from "../../../protocol/errors/CharterError.ts";
import { bytesMissing, readServerName } from "../../../relayer/gateway/readServerName.ts";
import { random } from "../../support/random.ts";

/** What Node's TLS sends first for this name. */
async function clientHello(servername: string | undefined): Promise<Buffer> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const client = connect({ host: "127.0.0.1", port, ...(servername === undefined ? {} : { servername }) });
  client.on("error", () => undefined);
  const [socket] = (await once(server, "connection")) as [Socket];
  const [bytes] = (await once(socket, "data")) as [Buffer];
  client.destroy();
  socket.destroy();
  server.close();
  return bytes;
}

/** The same handshake message in records of so many bytes. */
function inRecords(hello: Buffer, size: number): Buffer {
  const message = hello.subarray(5);
  const records: Buffer[] = [];
  for (let at = 0; at < message.length; at += size) {
    const part = message.subarray(at, at + size);
    records.push(Buffer.from([22, 3, 1, part.length >> 8, part.length & 255]), part);
  }
  return Buffer.concat(records);
}

const refusedAs = (bytes: Buffer): string => {
  try {
    return `accepted: ${String(readServerName(bytes))}`;
  } catch (error) {
    return isCharterError(error) ? error.code : "a raw exception";
  }
};

describe("the server name of a ClientHello", () => {
  let hello: Buffer;
  before(async () => {
    hello = await clientHello("App.Example.org");
  });

  it("is read in lower case", () => expect(readServerName(hello)).to.equal("app.example.org"));

  it("is null where the client names none", async () =>
    expect(readServerName(await clientHello(undefined))).to.equal(null));

  it("is not known before the last byte, wherever the message is cut", () => {
    for (let length = 0; length < hello.length; length++) {
      expect(readServerName(hello.subarray(0, length)), String(length)).to.equal(undefined);
    }
  });

  it("is read across records of any size, and with bytes behind them", () => {
    for (const size of [1, 2, 3, 7, 100, 511]) {
      const cut = inRecords(hello, size);
      expect(readServerName(cut), String(size)).to.equal("app.example.org");
      expect(readServerName(Buffer.concat([cut, Buffer.from([20, 3, 3, 0, 1, 1])]))).to.equal(
        "app.example.org",
      );
    }
  });

  it("is looked for a few times only, however small the pieces that it comes in", () => {
    const bytes = inRecords(hello, 1);
    let [looks, needed] = [0, 1];
    for (let length = 1; length <= bytes.length; length++) {
      if (length < needed) continue;
      looks++;
      const name = readServerName(bytes.subarray(0, length));
      if (name === undefined) needed = length + bytesMissing(bytes.subarray(0, length));
      else expect([name, length]).to.deep.equal(["app.example.org", bytes.length]);
    }
    expect(looks).to.be.lessThan(80); // Of some three thousand pieces.
  });

  for (const [what, bytes] of [
    ["HTTP", Buffer.from("GET / HTTP/1.1\r\n\r\n")],
    ["an alert", Buffer.from([21, 3, 3, 0, 2, 2, 40])],
    ["an empty record", Buffer.from([22, 3, 1, 0, 0])],
    ["a record that is too long", Buffer.from([22, 3, 1, 0xff, 0xff])],
    ["SSL 2", Buffer.from([0x80, 0x2e, 1, 0, 2])],
    ["a ServerHello", Buffer.from([22, 3, 3, 0, 4, 2, 0, 0, 0])],
    ["a hello of 16 MiB", Buffer.from([22, 3, 3, 0, 4, 1, 0xff, 0xff, 0xff])],
  ] as const) {
    it(`is not read from ${what}`, () => expect(refusedAs(bytes)).to.equal("gateway/not-tls"));
  }

  it("is read, refused or waited for, whatever byte is changed: nothing else is thrown", () => {
    const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
    const { below } = random(seed);
    for (let round = 0; round < 4_000; round++) {
      const changed = Buffer.from(hello);
      for (let n = below(3); n >= 0; n--) changed[below(changed.length)] = below(256);
      expect(refusedAs(changed), `SEED=${seed}`).to.match(/^(accepted: |gateway\/not-tls)/);
    }
  });
});
