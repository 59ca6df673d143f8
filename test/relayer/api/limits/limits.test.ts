import { expect } from "chai";

import { CharterError } from "../../../../protocol/errors/CharterError.ts";
import { clientAddress, limitName, readProxies } from "../../../../relayer/api/limits/clientAddress.ts";
import { KeyGuard } from "../../../../relayer/api/limits/KeyGuard.ts";
import { RateLimiter } from "../../../../relayer/api/limits/RateLimiter.ts";
import { requireAdmin } from "../../../../relayer/api/limits/requireAdmin.ts";
import { bounded } from "../../../../relayer/bounded.ts";
import { NonceBook } from "../../../../relayer/leases/NonceBook.ts";
import { parseAddress, parseBytes32 } from "../../../../protocol/words/hex.ts";
import { refusal, refusalOf } from "../../../support/refusal.ts";

describe("rate limits", () => {
  it("count by name, and begin anew with each window", () => {
    let now = 0;
    const limiter = new RateLimiter({ max: 2, windowSeconds: 60, now: () => now });
    limiter.count("a");
    expect(limiter.waitSeconds("a")).to.equal(0);
    limiter.count("a");
    now = 30_000;
    expect([limiter.waitSeconds("a"), limiter.waitSeconds("b")]).to.deep.equal([30, 0]);
    limiter.forgive("a");
    expect(limiter.waitSeconds("a")).to.equal(0);
    limiter.count("a");
    now = 60_000;
    expect(limiter.waitSeconds("a")).to.equal(0);
  });

  it("keep no more names than they may", () => {
    const limiter = new RateLimiter({ max: 1, windowSeconds: 60, maxKept: 2, now: () => 0 });
    for (const name of ["a", "b", "c"]) limiter.count(name);
    expect(["a", "b", "c"].map((name) => limiter.waitSeconds(name))).to.deep.equal([0, 60, 60]);
  });
});

describe("whom requests are counted against", () => {
  for (const [address, name] of [
    ["192.0.2.7", "192.0.2.7"],
    ["::ffff:192.0.2.7", "192.0.2.7"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:0db8:0001:2::9", "2001:db8:1:2::/64"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["2001:db8:1:2::/64", "2001:db8:1:2::/64"],
    ["unknown", "unknown"],
  ] as const) {
    it(`is ${name} for ${address}`, () => expect(limitName(address)).to.equal(name));
  }
});

describe("the guard before signatures", () => {
  it("counts all addresses of one IPv6 network as one", async () => {
    const guard = new KeyGuard({ perKey: 100, unprovenPerAddress: 2 });
    const forged = async () => {
      throw new CharterError("lease/signature-invalid", "no");
    };
    for (const address of ["2001:db8::1", "2001:db8::2"]) {
      expect(await refusal(guard.run({ key: "k", address }, forged))).to.equal("lease/signature-invalid");
    }
    expect(await refusal(guard.run({ key: "k", address: "2001:db8::3" }, forged))).to.equal(
      "api/too-many-requests",
    );
  });

  const ok = async () => "ok";
  const unproven = async () => {
    throw new CharterError("lease/signature-invalid", "no");
  };
  const denied = async () => {
    throw new CharterError("lease/denied", "no");
  };

  it("counts what a key signed against it, denials included, at its own address only", async () => {
    const guard = new KeyGuard({ perKey: 2 });
    expect(await guard.run({ key: "k", address: "1" }, ok)).to.equal("ok");
    expect(await refusal(guard.run({ key: "k", address: "1" }, denied))).to.equal("lease/denied");
    expect(await refusal(guard.run({ key: "k", address: "1" }, ok))).to.equal("api/too-many-requests");
    expect(await guard.run({ key: "k", address: "2" }, ok)).to.equal("ok");
    expect(await guard.run({ key: "l", address: "1" }, ok)).to.equal("ok");
  });

  it("counts what nobody signed against the address, and against no key that it names", async () => {
    const guard = new KeyGuard({ perKey: 1, unprovenPerAddress: 2 });
    for (let i = 0; i < 2; i++) {
      const code = await refusal(guard.run({ key: "victim", address: "1" }, unproven));
      expect(code).to.equal("lease/signature-invalid");
    }
    expect(await refusal(guard.run({ key: "x", address: "1" }, ok))).to.equal("api/too-many-requests");
    expect(await guard.run({ key: "victim", address: "2" }, ok)).to.equal("ok");
  });

  it("takes on no more at once than it may, and no more of one address than could be unproven", async () => {
    const never = () => new Promise<never>(() => undefined);
    const guard = new KeyGuard({ perKey: 9, maxAtOnce: 2, unprovenPerAddress: 1 });
    void guard.run({ key: "a", address: "1" }, never);
    expect(await refusal(guard.run({ key: "b", address: "1" }, ok))).to.equal("api/too-many-requests");
    void guard.run({ key: "c", address: "2" }, never);
    expect(await refusal(guard.run({ key: "d", address: "3" }, ok))).to.equal("relayer/busy");
  });
});

describe("the client's address", () => {
  const isProxy = readProxies("10.0.0.0/8, ::1, 192.0.2.7") ?? (() => false);

  it("is the socket's, whatever the header says, unless the socket is a proxy's", () => {
    expect(clientAddress("203.0.113.5", "1.2.3.4", isProxy)).to.equal("203.0.113.5");
    expect(clientAddress("::ffff:203.0.113.5", undefined, isProxy)).to.equal("203.0.113.5");
  });

  it("is the last in the header that is no proxy of ours: what stands before it may be made up", () => {
    expect(clientAddress("10.1.2.3", "6.6.6.6, 203.0.113.5, 192.0.2.7", isProxy)).to.equal("203.0.113.5");
    expect(clientAddress("::1", ["6.6.6.6", "203.0.113.5"], isProxy)).to.equal("203.0.113.5");
  });

  it("stays the proxy's where the header is missing or names no address", () => {
    expect(clientAddress("10.1.2.3", undefined, isProxy)).to.equal("10.1.2.3");
    expect(clientAddress("10.1.2.3", "203.0.113.5, unknown", isProxy)).to.equal("10.1.2.3");
  });

  for (const text of ["proxy.test", "10.0.0.0/33", "::/129", "10.0.0.0/8/8", "10.0.0.0/", "10.0.0.0/a"]) {
    it(`is not read from the list "${text}"`, () => expect(readProxies(text)).to.equal(null));
  }
});

describe("bounds", () => {
  it("refuse the caller for whom there is no room, and take the next once there is", async () => {
    let finish: () => void = () => undefined;
    const run = bounded("work", 1, () => new Promise<void>((done) => (finish = done)));
    const first = run(undefined);
    expect(await refusal(run(undefined))).to.equal("relayer/busy");
    finish();
    await first;
    const second = run(undefined);
    finish();
    await second;
  });

  it("remember nonces of each key for at least a window, and forget them after two", () => {
    let now = 0;
    const book = new NonceBook(60, () => now);
    const [a, b] = [parseAddress(`0x${"0a".repeat(20)}`), parseAddress(`0x${"0b".repeat(20)}`)];
    const nonce = parseBytes32(`0x${"01".repeat(32)}`);
    now = 59_000;
    book.add(a, nonce);
    now = 119_000;
    expect([book.has(a, nonce), book.has(b, nonce)]).to.deep.equal([true, false]);
    now = 180_000;
    expect(book.has(a, nonce)).to.equal(false);
  });
});

describe("the admin token", () => {
  it("opens for exactly its holder", () => {
    const token = "a-token-of-some-length";
    requireAdmin(`Bearer ${token}`, token);
    for (const header of [undefined, "", token, `bearer ${token}`, `Bearer ${token}x`]) {
      expect(refusalOf(() => requireAdmin(header, token))).to.equal("api/unauthorized");
    }
  });
});
