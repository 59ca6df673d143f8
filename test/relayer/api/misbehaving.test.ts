import { request } from "node:http";

import { expect } from "chai";
import type { PrivateKeyAccount } from "viem/accounts";
import { WebSocket } from "ws";

import { leaseDomain, leaseRequestTypes } from "../../../protocol/session/domains.ts";
import type { NodeInfo } from "../../../protocol/session/messages.ts";
import type { Address, Bytes32 } from "../../../protocol/words/hex.ts";
import { RelayerSession } from "../../../worker/session/RelayerSession.ts";
import { admitInstance, appOf, registerNode } from "../../../bench/support/workload.ts";
import { refusal } from "../../support/refusal.ts";
import { newKey, newNonce } from "../support/guest.ts";
import type { Program } from "../support/program.ts";
import { addressOf, startStack } from "../support/stack.ts";
import type { RelayerReady, Stack } from "../support/stack.ts";

/** Another address of this machine: whoever misbehaves is no neighbour of the honest worker's. */
const ELSEWHERE = "127.0.0.2";
const lower = ({ address }: { address: string }) => address.toLowerCase() as Address;

describe("a worker that misbehaves, beside an honest one", function () {
  this.timeout(180_000);
  let stack: Stack;
  let relayer: Program<RelayerReady>;
  let node: NodeInfo;
  let app: Address;
  let honest: PrivateKeyAccount;
  let liar: PrivateKeyAccount;
  let session: RelayerSession;

  before(async () => {
    stack = await startStack();
    relayer = await stack.startRelayer({
      ...(await stack.relayerEnvironment()),
      CHARTER_MAX_LEASES_PER_MINUTE: "100000", // What is left are the limits by key and by proof.
      CHARTER_MAX_SESSIONS_PER_MINUTE: "100",
    });
    const { url } = relayer.ready;
    node = await registerNode(stack, url);
    const made = await appOf(stack, node, Buffer.from("{}"));
    app = made.app;
    const of = { ...made, node: node.number };
    [honest, liar] = [await admitInstance(stack, url, of), await admitInstance(stack, url, of)];
    session = await RelayerSession.open(url, termsOf(honest), () => undefined);
  });
  after(async () => {
    session?.close();
    await stack?.stop();
  });

  const place = () => ({ chainId: stack.deployment.chainId, ledger: stack.deployment.attestationLedger });
  const termsOf = (account: PrivateKeyAccount) => ({
    ...place(),
    ...{ app, account, leaseSigners: [addressOf(2)] },
  });

  /** `POST /leases` from an address; status and code. */
  const post = (body: unknown, localAddress: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const options = {
        method: "POST",
        localAddress,
        agent: false,
        headers: { "content-type": "application/json" },
      };
      const sent = request(`${relayer.ready.url}/leases`, options, (answer) => {
        let text = "";
        answer.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
        answer.on("end", () => {
          const { error } = JSON.parse(text) as { error?: { code: string } };
          resolve(`${answer.statusCode} ${error?.code ?? "ok"}`);
        });
      });
      sent.once("error", reject);
      sent.end(JSON.stringify(body));
    });
  const signed = async (by: PrivateKeyAccount, nonce: Bytes32, key = lower(by)) => {
    const { chainId, ledger } = place();
    const signature = await by.signTypedData({
      domain: leaseDomain(chainId, ledger),
      types: leaseRequestTypes,
      primaryType: "LeaseRequest",
      message: { app, nonce },
    });
    return { app, key, nonce, signature };
  };
  /** Twenty at a time; how often each answer came. */
  const flood = async (count: number, ask: () => Promise<string>): Promise<Record<string, number>> => {
    const counts: Record<string, number> = {};
    for (let i = 0; i < count; i += 20) {
      for (const answer of await Promise.all(Array.from({ length: 20 }, ask))) {
        counts[answer] = (counts[answer] ?? 0) + 1;
      }
    }
    return counts;
  };
  /** The honest worker goes on: over its session, and by a request of its own. */
  const thrives = async () => {
    expect((await session.lease(newNonce())).lease.key).to.equal(lower(honest));
    expect(await post(await signed(honest, newNonce()), "127.0.0.1")).to.equal("200 ok");
  };
  afterEach(thrives);

  it("gets nothing by replaying its own request", async () => {
    const message = await signed(liar, newNonce());
    expect(await post(message, ELSEWHERE)).to.equal("200 ok");
    expect(await post(message, ELSEWHERE)).to.equal("409 lease/nonce-replayed");
  });

  it("gets nothing by naming the honest worker's key, and uses up only its own address", async () => {
    const counts = await flood(360, async () =>
      post(await signed(liar, newNonce(), lower(honest)), "127.0.0.3"),
    );
    expect(Object.keys(counts).sort()).to.deep.equal([
      "400 lease/signature-invalid",
      "429 api/too-many-requests",
    ]);
    const own = await signed(liar, newNonce());
    expect(await post(own, "127.0.0.3")).to.equal("429 api/too-many-requests");
    expect(await post(own, ELSEWHERE)).to.equal("200 ok");
  });

  it("is refused when it floods with requests of its own", async () => {
    const counts = await flood(180, async () => post(await signed(liar, newNonce()), "127.0.0.4"));
    expect(Object.keys(counts).sort()).to.deep.equal(["200 ok", "429 api/too-many-requests"]);
  });

  it("is denied, one by one, when it makes up a key for every request", async () => {
    const counts = await flood(40, async () => post(await signed(newKey(), newNonce()), "127.0.0.5"));
    expect(counts).to.deep.equal({ "403 lease/denied": 40 });
  });

  it("is refused when it reconnects in a loop, and its sockets go", async () => {
    const answers: string[] = [];
    for (let i = 0; i < 130; i++) {
      const socket = new WebSocket(`${relayer.ready.url.replace("http", "ws")}/sessions`, {
        localAddress: "127.0.0.6",
      });
      answers.push(
        await new Promise<string>((resolve) => {
          socket.once("message", () => resolve("challenged"));
          socket.once("error", (error) => resolve(error.message));
        }),
      );
      socket.terminate();
    }
    expect(answers[0]).to.equal("challenged");
    expect(answers.at(-1)).to.contain("429");
  });

  it("is cut off when it speaks out of turn in its session, and may come back", async () => {
    const own = await RelayerSession.open(relayer.ready.url, termsOf(liar), () => undefined);
    const asked = Array.from({ length: 50 }, () => refusal(own.lease(newNonce())));
    expect(await Promise.all(asked)).to.include("relayer/unreachable");
    expect(own.isOpen).to.equal(false);
    const again = await RelayerSession.open(relayer.ready.url, termsOf(liar), () => undefined);
    expect((await again.lease(newNonce())).lease.key).to.equal(lower(liar));
    again.close();
  });

  it("gets no session with the honest worker's key", async () => {
    const forged = {
      ...liar,
      address: honest.address,
      signTypedData: liar.signTypedData,
    } as PrivateKeyAccount;
    const opening = RelayerSession.open(relayer.ready.url, termsOf(forged), () => undefined);
    expect(await refusal(opening)).to.equal("session/signature-invalid");
  });

  it("gains nothing by messages of no shape and bodies without end", async () => {
    const large = { signature: `0x${"00".repeat(20_000)}` };
    expect(await post(large, ELSEWHERE)).to.equal("413 api/body-too-large");
    expect(await post({ app }, ELSEWHERE)).to.equal("400 api/invalid-message");
  });
});
