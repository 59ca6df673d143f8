import { expect } from "chai";
import { id, parseEther, ZeroAddress } from "ethers";

import { factsOf } from "../../../protocol/evidence/dcap/onchain/facts.ts";
import { parseQuote } from "../../../protocol/evidence/dcap/parseQuote.ts";
import { fromHex } from "../../../protocol/words/hex.ts";
import type { LiveSigner } from "../../../types/typechain/index.ts";
import { issueCollateral } from "../../../worker/tee/simulator/collateral.ts";
import { AT, pki, quoteOf } from "../../protocol/evidence/simulated.ts";
import { collateralCalls } from "../../../protocol/evidence/dcap/onchain/collateralCalls.ts";
import { put } from "../attestation/dcap/support/collateral.ts";
import { openChainAt } from "../attestation/dcap/support/verifier.ts";
import { walletOf } from "../support/charter.ts";
import {
  attestDirect,
  deployDirect,
  directPolicy,
  registerDirect,
  type DirectCharter,
} from "../support/direct.ts";
import { createApp } from "../support/flows.ts";

const FAR = 3_000_000_000n;
const ORDER_TYPES = {
  Order: [
    { name: "key", type: "address" },
    { name: "token", type: "address" },
    { name: "to", type: "address" },
    { name: "amount", type: "uint256" },
    { name: "nonce", type: "uint256" },
    { name: "deadline", type: "uint40" },
  ],
};

/** The same vault as in LiveSigner.test.ts, over quotes that the real verifier judges by collateral kept on chain. */
describe("LiveSigner over direct proofs", function () {
  this.timeout(60_000);
  const key = walletOf("agent");
  let charter: DirectCharter;
  let vault: LiveSigner;
  let nonce = 0n;
  beforeEach(async () => {
    nonce = 0n;
    charter = await deployDirect(await openChainAt(AT), AT);
    const app = await createApp(charter, { settings: directPolicy(charter.platform.platformId) });
    await registerDirect(charter, walletOf("node key"));
    await attestDirect(charter, await app.getAddress(), key);
    vault = (await charter.connection.ethers.deployContract("LiveSigner", [
      await charter.attestationLedger.getAddress(),
      await app.getAddress(),
    ])) as unknown as LiveSigner;
    await charter.owner.sendTransaction({ to: vault, value: parseEther("1") });
  });
  afterEach(() => charter.connection.close());

  async function order() {
    const signed = {
      key: key.address,
      token: ZeroAddress,
      to: walletOf("receiver").address,
      amount: 1n,
      nonce,
      deadline: FAR,
    };
    const domain = {
      name: "Charter LiveSigner",
      version: "1",
      chainId: charter.chainId,
      verifyingContract: await vault.getAddress(),
    };
    return [signed, await key.signTypedData(domain, ORDER_TYPES, signed)] as const;
  }
  async function release(): Promise<void> {
    await vault.connect(charter.stranger).release(...(await order()));
    nonce++;
  }
  const refused = async () =>
    expect(vault.release(...(await order()))).to.be.revertedWithCustomError(
      charter.attestationLedger,
      "NotLive",
    );
  const newer = async (options: {
    readonly revokedPcks?: readonly Uint8Array[];
    readonly recoveries?: number;
  }) => issueCollateral(pki, { at: await charter.connection.networkHelpers.time.latest(), ...options });
  const call = (issued: ReturnType<typeof issueCollateral>, name: string) => {
    const found = collateralCalls(issued)
      .filter(({ functionName }) => functionName === name)
      .at(-1);
    if (!found) throw new Error(`no ${name}`);
    return found;
  };
  const rejudge = async () =>
    charter.dcapVerifier.rejudge(1, factsOf(parseQuote(await quoteOf({}, charter.platform))));

  const OTHER = fromHex(id("another platform's certificate")).subarray(0, 20);
  const CHANGES: Readonly<
    Record<
      string,
      readonly [what: "putCrl" | "putTcbInfo", heals: boolean, make: () => ReturnType<typeof newer>]
    >
  > = {
    "another certificate is revoked": ["putCrl", true, () => newer({ revokedPcks: [OTHER] })],
    "its certificate is revoked": [
      "putCrl",
      false,
      () => newer({ revokedPcks: [charter.platform.pckSerial] }),
    ],
    "its TCB level is out of date": ["putTcbInfo", false, () => newer({ recoveries: 1 })],
  };
  for (const [name, [what, heals, make]] of Object.entries(CHANGES)) {
    it(`release_epochRoseAs_${name.replaceAll(" ", "_")}_revertsInTheSameBlock`, async () => {
      const { provider, ethers } = charter.connection;
      await release();
      const collateral = call(await make(), what);
      const [signed, signature] = await order();
      await vault.release.staticCall(signed, signature);
      const before = await charter.dcapVerifier.standing(1);
      await provider.request({ method: "evm_setAutomine", params: [false] });
      try {
        // The change comes first by its fee; both wait for one block.
        await charter.collateral
          .getFunction(collateral.functionName)
          .send(...collateral.args, { gasLimit: 4_000_000 });
        const sent = await vault
          .connect(charter.stranger)
          .release(signed, signature, { gasLimit: 1_000_000, maxPriorityFeePerGas: 1n });
        await charter.connection.networkHelpers.mine();
        const block = await ethers.provider.getBlock("latest");
        expect([block?.transactions.length, block?.transactions[1]]).to.deep.equal([2, sent.hash]);
        expect((await ethers.provider.getTransactionReceipt(sent.hash))?.status).to.equal(0);
      } finally {
        await provider.request({ method: "evm_setAutomine", params: [true] });
      }
      expect(before.staleSince).to.equal(0n);
      expect((await charter.dcapVerifier.standing(1)).staleSince).to.be.greaterThan(0n);
      await refused();
      // Anyone may have the record judged by what changed.
      await rejudge();
      await (heals ? release() : refused());
    });
  }

  it("release_equalContentReSigned_paysOn", async () => {
    await release();
    const issued = await newer({});
    for (const name of ["putCrl", "putQeIdentity", "putTcbInfo"])
      await put(charter.collateral, call(issued, name));
    await release();
  });
});
