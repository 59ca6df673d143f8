import { expect } from "chai";
import { id, ZeroHash } from "ethers";
import hre from "hardhat";

import { SettingKind } from "../../../protocol/policy/settingKind.ts";
import { startAnvil } from "../../support/anvil.ts";
import type { Anvil } from "../../support/anvil.ts";
import { deployContracts, walletOf } from "../support/charter.ts";
import type { Charter, Connection } from "../support/charter.ts";
import { attestVerdict, createApp, POLICY, register, word } from "../support/flows.ts";
import { instanceVerdict } from "../support/verdicts.ts";

const HISTORY = "0x0000F90827F1C53a10cb7A02335B175320002935";
const HISTORY_WINDOW = 8191n;
const GENESIS = 20_000;

/** EIP-2935 needs a chain that has it: anvil does, EDR does not. */
describe("EvidenceBlocks beyond BLOCKHASH (EIP-2935)", function () {
  this.timeout(120_000);
  const key = walletOf("instance key");
  let anvil: Anvil;
  let connection: Connection;
  let charter: Charter;
  let at: string;

  before(async () => {
    anvil = await startAnvil(["--number", String(GENESIS)]);
    connection = await hre.network.create({ network: "target", override: { url: anvil.url } });
    charter = await deployContracts(connection);
    const widest = { kind: SettingKind.MaxEvidenceAge, key: word(0), value: HISTORY_WINDOW };
    const settings = [...POLICY.filter(({ kind }) => kind !== SettingKind.MaxEvidenceAge), widest];
    const app = await createApp(charter, { settings });
    at = await app.getAddress();
    await (await register(charter, walletOf("node key"), { validUntil: 4_000_000_000n })).wait();
  });
  after(async () => {
    await (connection as Connection | undefined)?.close();
    await (anvil as Anvil | undefined)?.stop();
  });

  const mine = async (blocks: number) => anvil.rpc("anvil_mine", `0x${blocks.toString(16)}`);
  const verdictOfNow = async () => instanceVerdict(charter, at, key, { validUntil: 4_000_000_000n });

  for (const age of [256, 257, 600]) {
    it(`attest_evidence${age}BlocksOld_isLive`, async () => {
      const verdict = await verdictOfNow();
      await mine(age - 1);
      const sent = await attestVerdict(charter, verdict, key);
      expect(BigInt((await sent.wait())?.blockNumber ?? 0) - verdict.evidenceBlock).to.equal(BigInt(age));
      expect(await charter.attestationLedger.isLive(at, key.address)).to.equal(true);
    });
  }

  it("attest_oldEvidenceOfAnotherFork_reverts", async () => {
    const verdict = await verdictOfNow();
    await mine(300);
    const evidenceBlockHash = id("another fork");
    await expect(
      attestVerdict(charter, { ...verdict, evidenceBlockHash }, key),
    ).to.be.revertedWithCustomError(charter.attestationLedger, "EvidenceBlockMismatch");
  });

  it("attest_blockThatTheHistoryNeverHeld_reverts", async () => {
    const evidenceBlock = BigInt(GENESIS) - 1000n;
    const verdict = { ...(await verdictOfNow()), evidenceBlock, evidenceBlockHash: ZeroHash };
    await expect(attestVerdict(charter, verdict, key))
      .to.be.revertedWithCustomError(charter.attestationLedger, "EvidenceBlockUnknown")
      .withArgs(evidenceBlock);
  });

  it("attest_atTheEdgeOfTheHistory_isKnownUpTo8191Blocks", async () => {
    // Mining 8,191 blocks takes anvil minutes, so the test writes the slots that the ring would hold for them; the
    // history contract that answers is anvil's own.
    const latest = await charter.connection.ethers.provider.getBlockNumber();
    const place = async (block: bigint, hash: string) =>
      anvil.rpc("anvil_setStorageAt", HISTORY, word(block % HISTORY_WINDOW), hash);
    const edge = BigInt(latest) + 1n - HISTORY_WINDOW;
    await place(edge, id("edge"));
    const verdict = {
      ...(await verdictOfNow()),
      evidenceBlock: edge,
      evidenceBlockHash: id("edge"),
      evidenceDigest: id("edge evidence"),
    };
    const other = walletOf("instance of the edge");
    await (await attestVerdict(charter, { ...verdict, key: other.address }, other)).wait();
    expect(await charter.attestationLedger.isLive(at, other.address)).to.equal(true);
    // One block later its slot holds another block's hash.
    await expect(attestVerdict(charter, verdict, key))
      .to.be.revertedWithCustomError(charter.attestationLedger, "EvidenceTooOld")
      .withArgs(edge, edge + HISTORY_WINDOW + 1n, HISTORY_WINDOW);
  });
});
