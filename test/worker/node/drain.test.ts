import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { expect } from "chai";

import type { Address } from "../../../protocol/words/hex.ts";
import { drainNode } from "../../../worker/node/drain.ts";
import { registerNode } from "../../../worker/node/register.ts";
import { RelayerClient } from "../../../worker/session/RelayerClient.ts";
import { createTestPki } from "../../../worker/tee/simulator/pki.ts";
import { simulatedPlatform } from "../../../worker/tee/simulator/platform.ts";
import { SimulatedTdx } from "../../../worker/tee/simulator/SimulatedTdx.ts";
import { refusal } from "../../support/refusal.ts";
import { CHAIN, TestRelayer } from "../support/TestRelayer.ts";

describe("a node that is drained", () => {
  const pki = createTestPki();
  let relayer: TestRelayer;
  before(async () => void (relayer = await new TestRelayer(pki).start()));
  after(() => relayer.server.close());

  const account = privateKeyToAccount(generatePrivateKey());
  const operator = privateKeyToAccount(generatePrivateKey());
  const drain = (draining: boolean, more: readonly string[] = [], by = operator) =>
    drainNode({
      relayers: [relayer.url, ...more].map((url) => new RelayerClient(url, 2_000)),
      pinned: CHAIN,
      operator: by,
      key: account.address.toLowerCase() as Address,
      draining,
    });

  it("is one that the relayers know", async () => {
    expect(await refusal(drain(true))).to.equal("node/unknown");
  });

  it("is so by its operator's word alone, told to every relayer, and says which did not hear it", async () => {
    const openSource = async () => new SimulatedTdx(simulatedPlatform(pki, { name: "one" }));
    await registerNode(new RelayerClient(relayer.url), { pinned: CHAIN, operator, account, openSource });
    const gone = "http://127.0.0.1:9";
    const { node, told, refused } = await drain(true, [gone]);
    expect([node, told, relayer.drained]).to.deep.equal([1, [relayer.url], true]);
    expect(refused.map(({ relayer: url, code }) => [url, code])).to.deep.equal([
      [gone, "relayer/unreachable"],
    ]);
    // Of the same second, or of the next.
    for (const draining of [false, true, true, false]) {
      expect((await drain(draining)).refused).to.deep.equal([]);
      expect(relayer.drained).to.equal(draining);
    }
    const other = await drain(true, [], privateKeyToAccount(generatePrivateKey()));
    expect(other.told).to.deep.equal([]);
    expect(relayer.drained).to.equal(false);
  });
});
