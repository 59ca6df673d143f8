import { expect } from "chai";
import { concat, id, ZeroAddress, ZeroHash } from "ethers";

import { ProofSystem, TeeKind } from "../../../../protocol/words/enums.ts";
import type { DocumentsDouble, GatewayDouble, ZkVerifier } from "../../../../types/typechain/index.ts";
import { openChain, walletOf, type Connection } from "../../support/charter.ts";
import type { Verdict } from "../../support/verdicts.ts";
import {
  DOCUMENTS,
  encodeJournal,
  encodeZkProof,
  FMSPC,
  gatewayCall,
  PLATFORM_CA,
  PROGRAM,
  RISC_ZERO,
  SEAL,
  SP1,
  zkVerdict,
  type Journal,
  type Maker,
} from "./support/journal.ts";

const NOTICE = 3600n;
const HOUR = 3600n;

interface Sent {
  journal?: string;
  seal?: string;
  program?: string;
}

describe("ZkVerifier", () => {
  let connection: Connection;
  before(async () => {
    connection = await openChain();
  });
  after(async () => connection.close());

  async function deployed() {
    const { ethers } = connection;
    const [governance, stranger] = await ethers.getSigners();
    if (!governance || !stranger) throw new Error("no accounts");
    const documents = (await ethers.deployContract("DocumentsDouble", [false])) as unknown as DocumentsDouble;
    const verifier = (await ethers.deployContract("ZkVerifier", [
      governance.address,
      await documents.getAddress(),
      NOTICE,
    ])) as unknown as ZkVerifier;
    const gateway = (await ethers.deployContract("GatewayDouble")) as unknown as GatewayDouble;
    const at = await gateway.getAddress();
    const adapters = {
      sp1: await (await ethers.deployContract("Sp1Adapter", [at])).getAddress(),
      riscZero: await (await ethers.deployContract("RiscZeroAdapter", [at])).getAddress(),
    };
    for (const adapter of Object.values(adapters)) await verifier.addProgram(adapter, PROGRAM);
    await connection.networkHelpers.time.increase(NOTICE);
    const now = BigInt(await connection.networkHelpers.time.latest());
    const collateralUntil = now + 20n * HOUR;
    await documents.put(TeeKind.Tdx, FMSPC, PLATFORM_CA, DOCUMENTS, collateralUntil);
    await documents.put(TeeKind.Sgx, FMSPC, PLATFORM_CA, DOCUMENTS, collateralUntil);
    return { governance, stranger, documents, verifier, gateway, adapters, now, collateralUntil };
  }
  const scene = async () => connection.networkHelpers.loadFixture(deployed);
  type Scene = Awaited<ReturnType<typeof scene>>;

  /** What the program says, with the caller of these tests as consumer. */
  const journalOf = (
    here: Scene,
    verdict: Partial<Verdict> = {},
    over: Partial<Omit<Journal, "verdict">> = {},
  ) => ({
    verdict: zkVerdict(here.governance.address, here.now, verdict),
    provenAt: here.now,
    fmspc: FMSPC,
    ca: PLATFORM_CA,
    documents: DOCUMENTS,
    ...over,
  });

  /** Makes the gateway accept what this adapter must ask for this journal, and nothing else. */
  async function accept({ gateway }: Scene, maker: Maker, journal: string, seal = SEAL) {
    await gateway.accept(gatewayCall(maker, journal, { seal }));
  }

  /** Brings a journal that its gateway accepts, whatever else is wrong with it. */
  async function bring(here: Scene, journal: Journal | string, maker: Maker = "sp1") {
    const bytes = typeof journal === "string" ? journal : encodeJournal(journal);
    await accept(here, maker, bytes);
    return here.verifier.verify(encodeZkProof(here.adapters[maker], bytes));
  }

  for (const maker of ["sp1", "riscZero"] as const) {
    it(`verify_${maker}ProofInOrder_answersItsVerdict`, async () => {
      const here = await scene();
      const journal = journalOf(here);
      const [verdict, record, until] = await bring(here, journal, maker);
      expect(verdict).to.deep.equal(Object.values(journal.verdict));
      expect(record).to.equal(0);
      expect(until).to.equal(journal.verdict.validUntil);
    });

    it(`verify_${maker}GatewayRefuses_reverts`, async () => {
      const here = await scene();
      const journal = encodeJournal(journalOf(here));
      const other = encodeJournal(journalOf(here, { key: walletOf("thief").address }));
      await accept(here, maker, journal);
      const adapter = here.adapters[maker];
      await here.verifier.verify(encodeZkProof(adapter, journal));
      const cases: Sent[] = [{ journal: other }, { seal: "0x11223344aabc" }, { seal: "0x" }];
      for (const { journal: changed = journal, ...rest } of cases) {
        await expect(
          here.verifier.verify(encodeZkProof(adapter, changed, rest)),
        ).to.be.revertedWithCustomError(here.gateway, "ProofInvalid");
      }
    });

    it(`constructor_${maker}GatewayWithoutCode_reverts`, async () => {
      const nobody = walletOf("nobody").address;
      const factory = await connection.ethers.getContractFactory(
        maker === "sp1" ? "Sp1Adapter" : "RiscZeroAdapter",
      );
      await expect(factory.deploy(nobody))
        .to.be.revertedWithCustomError(factory, "NoGateway")
        .withArgs(nobody);
    });
  }

  it("adapters_selectors_areTheGateways", () => {
    // sp1-contracts' ISP1Verifier and risc0-ethereum's IRiscZeroVerifier, as both publish them.
    expect(SP1.getFunction("verifyProof")?.selector).to.equal("0x41493c60");
    expect(RISC_ZERO.getFunction("verify")?.selector).to.equal("0xab750e75");
  });

  it("verify_proofOfTheOtherMaker_reverts", async () => {
    const here = await scene();
    const journal = encodeJournal(journalOf(here));
    await accept(here, "sp1", journal);
    await expect(
      here.verifier.verify(encodeZkProof(here.adapters.riscZero, journal)),
    ).to.be.revertedWithCustomError(here.gateway, "ProofInvalid");
  });

  it("verify_programOrAdapterThatGovernanceDidNotName_reverts", async () => {
    const here = await scene();
    const journal = encodeJournal(journalOf(here));
    // The stranger's adapter accepts everything.
    const open = await (await connection.ethers.deployContract("GatewayDouble")).getAddress();
    for (const [adapter, program] of [
      [here.adapters.sp1, id("other program")],
      [open, PROGRAM],
      [ZeroAddress, PROGRAM],
      [here.adapters.sp1, ZeroHash],
    ] as const) {
      await expect(here.verifier.verify(encodeZkProof(adapter, journal, { program })))
        .to.be.revertedWithCustomError(here.verifier, "ProgramUnknown")
        .withArgs(adapter, program);
    }
  });

  it("verify_forAnotherConsumer_reverts", async () => {
    const here = await scene();
    const consumer = walletOf("ledger").address;
    await expect(bring(here, journalOf(here, { consumer })))
      .to.be.revertedWithCustomError(here.verifier, "WrongConsumer")
      .withArgs(here.governance.address, consumer);
  });

  it("verify_provenInTheFuture_reverts", async () => {
    const here = await scene();
    const { time } = connection.networkHelpers;
    const soon = BigInt(await time.latest()) + 100n;
    const journal = encodeJournal(journalOf(here, {}, { provenAt: soon }));
    await accept(here, "sp1", journal);
    const proof = encodeZkProof(here.adapters.sp1, journal);
    await time.increaseTo(soon - 1n);
    await expect(here.verifier.verify(proof))
      .to.be.revertedWithCustomError(here.verifier, "ProvenInTheFuture")
      .withArgs(soon, soon - 1n);
    await time.increaseTo(soon);
    await here.verifier.verify(proof);
  });

  it("verify_provenMoreThanAnHourAgo_reverts", async () => {
    const here = await scene();
    const { time } = connection.networkHelpers;
    const journal = encodeJournal(journalOf(here));
    await accept(here, "sp1", journal);
    const proof = encodeZkProof(here.adapters.sp1, journal);
    await time.increaseTo(here.now + HOUR);
    await here.verifier.verify(proof);
    await time.increaseTo(here.now + HOUR + 1n);
    await expect(here.verifier.verify(proof))
      .to.be.revertedWithCustomError(here.verifier, "ProofTooOld")
      .withArgs(here.now, here.now + HOUR + 1n, HOUR);
  });

  it("verify_verdictExpired_reverts", async () => {
    const here = await scene();
    const validUntil = here.now;
    await expect(bring(here, journalOf(here, { validUntil }))).to.be.revertedWithCustomError(
      here.verifier,
      "VerdictExpired",
    );
  });

  it("verify_collateralEndsBeforeTheVerdict_countsUntilTheCollateralEnds", async () => {
    const here = await scene();
    const [, , until] = await bring(here, journalOf(here, { validUntil: here.collateralUntil + HOUR }));
    expect(until).to.equal(here.collateralUntil);
  });

  it("verify_judgedByAnyOtherDocument_reverts", async () => {
    const here = await scene();
    for (const name of Object.keys(DOCUMENTS)) {
      const documents = { ...DOCUMENTS, [name]: id("older") };
      await expect(bring(here, journalOf(here, {}, { documents })))
        .to.be.revertedWithCustomError(here.verifier, "DocumentsMismatch")
        .withArgs(Object.values(DOCUMENTS), Object.values(documents));
    }
  });

  it("verify_collateralReplacedSince_reverts", async () => {
    const here = await scene();
    const newer = { ...DOCUMENTS, tcbInfo: id("newer TCB info") };
    await here.documents.put(TeeKind.Tdx, FMSPC, PLATFORM_CA, newer, here.collateralUntil);
    await expect(bring(here, journalOf(here))).to.be.revertedWithCustomError(
      here.verifier,
      "DocumentsMismatch",
    );
    await bring(here, journalOf(here, {}, { documents: newer }));
  });

  it("verify_aDocumentThatIsNotKept_reverts", async () => {
    const here = await scene();
    const documents = { ...DOCUMENTS, rootCrl: ZeroHash };
    await here.documents.put(TeeKind.Tdx, FMSPC, PLATFORM_CA, documents, here.collateralUntil);
    await expect(bring(here, journalOf(here, {}, { documents }))).to.be.revertedWithCustomError(
      here.verifier,
      "DocumentsMismatch",
    );
  });

  it("verify_collateralMissingOrExpired_reverts", async () => {
    const here = await scene();
    const abi = await connection.ethers.getContractAt("IDcapCollateral", ZeroAddress);
    const elsewhere = { fmspc: "0x00a06d080000" };
    await expect(bring(here, journalOf(here, {}, elsewhere))).to.be.revertedWithCustomError(
      abi,
      "CollateralMissing",
    );
    await expect(bring(here, journalOf(here, {}, { ca: 2 }))).to.be.revertedWithCustomError(
      abi,
      "CollateralMissing",
    );
    await here.documents.put(TeeKind.Tdx, FMSPC, PLATFORM_CA, DOCUMENTS, here.now);
    await expect(bring(here, journalOf(here))).to.be.revertedWithCustomError(abi, "CollateralExpired");
  });

  it("verify_kindThatDcapCollateralDoesNotJudge_reverts", async () => {
    const here = await scene();
    await bring(here, journalOf(here, { kind: BigInt(TeeKind.Sgx) }));
    for (const kind of [TeeKind.None, TeeKind.Snp, TeeKind.Nitro]) {
      await expect(bring(here, journalOf(here, { kind: BigInt(kind) })))
        .to.be.revertedWithCustomError(here.verifier, "KindNotSupported")
        .withArgs(kind);
    }
  });

  it("verify_testRootUnderTheRealOneOrTheReverse_reverts", async () => {
    const here = await scene();
    await expect(bring(here, journalOf(here, { simulated: true })))
      .to.be.revertedWithCustomError(here.verifier, "RootMismatch")
      .withArgs(false, true);
    const test = (await connection.ethers.deployContract("DocumentsDouble", [
      true,
    ])) as unknown as DocumentsDouble;
    const verifier = (await connection.ethers.deployContract("ZkVerifier", [
      here.governance.address,
      await test.getAddress(),
      0,
    ])) as unknown as ZkVerifier;
    await verifier.addProgram(here.adapters.sp1, PROGRAM);
    await test.put(TeeKind.Tdx, FMSPC, PLATFORM_CA, DOCUMENTS, here.collateralUntil);
    await expect(bring({ ...here, verifier }, journalOf(here)))
      .to.be.revertedWithCustomError(verifier, "RootMismatch")
      .withArgs(true, false);
    await bring({ ...here, verifier }, journalOf(here, { simulated: true }));
  });

  it("verify_journalLongerShorterOrNotAnEncoding_reverts", async () => {
    const here = await scene();
    const journal = encodeJournal(journalOf(here));
    expect(journal.length).to.equal(2 + 2 * 24 * 32);
    for (const bytes of [
      concat([journal, ZeroHash]),
      concat([journal, "0x00"]),
      journal.slice(0, -64),
      "0x",
    ]) {
      await expect(bring(here, bytes))
        .to.be.revertedWithCustomError(here.verifier, "BadJournalLength")
        .withArgs(24 * 32, (bytes.length - 2) / 2);
    }
    // A word that is too large for its type, at each place where one can be.
    const words = Array.from({ length: 24 }, (_, i) => journal.slice(2 + 64 * i, 66 + 64 * i));
    const narrow = [0, 1, 2, 3, 10, 11, 15, 16, 17, 18, 19];
    for (const at of narrow) {
      const dirty = words.map((word, i) => (i === at ? "f".repeat(64) : word)).join("");
      await expect(bring(here, `0x${dirty}`), `word ${at}`).to.be.revert(connection.ethers);
    }
  });

  it("standing_always_reverts", async () => {
    const { verifier } = await scene();
    for (const record of [0, 1]) {
      await expect(verifier.standing(record))
        .to.be.revertedWithCustomError(verifier, "UnknownRecord")
        .withArgs(record);
    }
    expect(await verifier.proofSystem()).to.equal(ProofSystem.Zk);
  });

  describe("programs", () => {
    const fresh = id("fresh program");

    it("addProgram_afterNotice_countsWithNoFurtherTransaction", async () => {
      const here = await scene();
      const { verifier, governance, adapters } = here;
      const { time } = connection.networkHelpers;
      const sent = await verifier.addProgram(adapters.sp1, fresh);
      const effectiveAt = BigInt(await time.latest()) + NOTICE;
      await expect(sent)
        .to.emit(verifier, "ProgramAdded")
        .withArgs(adapters.sp1, fresh, effectiveAt, governance.address);
      expect(await verifier.programEffectiveAt(adapters.sp1, fresh)).to.equal(effectiveAt);
      const journal = encodeJournal(journalOf(here, {}, { provenAt: effectiveAt - 5n }));
      await here.gateway.accept(gatewayCall("sp1", journal, { program: fresh }));
      const proof = encodeZkProof(adapters.sp1, journal, { program: fresh });
      await time.increaseTo(effectiveAt - 1n);
      await expect(verifier.verify(proof))
        .to.be.revertedWithCustomError(verifier, "ProgramNotEffective")
        .withArgs(effectiveAt, effectiveAt - 1n);
      await time.increaseTo(effectiveAt);
      await verifier.verify(proof);
    });

    it("removeProgram_inForceOrPending_endsAtOnce", async () => {
      const here = await scene();
      const { verifier, governance, adapters } = here;
      const journal = encodeJournal(journalOf(here));
      await accept(here, "sp1", journal);
      await verifier.verify(encodeZkProof(adapters.sp1, journal));
      const since = await verifier.programEffectiveAt(adapters.sp1, PROGRAM);
      await expect(verifier.removeProgram(adapters.sp1, PROGRAM))
        .to.emit(verifier, "ProgramRemoved")
        .withArgs(adapters.sp1, PROGRAM, since, governance.address);
      await expect(verifier.verify(encodeZkProof(adapters.sp1, journal))).to.be.revertedWithCustomError(
        verifier,
        "ProgramUnknown",
      );
      await expect(verifier.removeProgram(adapters.sp1, PROGRAM)).to.be.revertedWithCustomError(
        verifier,
        "ProgramUnknown",
      );
      await verifier.addProgram(adapters.sp1, fresh);
      await verifier.removeProgram(adapters.sp1, fresh);
      expect(await verifier.programEffectiveAt(adapters.sp1, fresh)).to.equal(0);
    });

    it("addProgram_knownOrWithoutCode_reverts", async () => {
      const { verifier, adapters } = await scene();
      await expect(verifier.addProgram(adapters.sp1, PROGRAM)).to.be.revertedWithCustomError(
        verifier,
        "ProgramKnown",
      );
      const nobody = walletOf("nobody").address;
      await expect(verifier.addProgram(nobody, fresh))
        .to.be.revertedWithCustomError(verifier, "NoAdapter")
        .withArgs(nobody);
    });

    it("addProgram_callerNotOwner_reverts", async () => {
      const { verifier, adapters, stranger } = await scene();
      const theirs = verifier.connect(stranger);
      for (const call of [
        () => theirs.addProgram(adapters.sp1, fresh),
        () => theirs.removeProgram(adapters.sp1, PROGRAM),
      ]) {
        await expect(call())
          .to.be.revertedWithCustomError(verifier, "OwnableUnauthorizedAccount")
          .withArgs(stranger.address);
      }
    });

    it("constructor_noticeZeroOnAProductionChainOrTooLong_reverts", async () => {
      const factory = await connection.ethers.getContractFactory("ZkVerifier");
      const owner = walletOf("owner").address;
      await expect(factory.deploy(owner, owner, 365n * 86_400n + 1n)).to.be.revertedWithCustomError(
        factory,
        "NoticeTooLong",
      );
      await factory.deploy(owner, owner, 0);
      const production = await openChain(1);
      try {
        const there = await production.ethers.getContractFactory("ZkVerifier");
        await expect(there.deploy(owner, owner, 0)).to.be.revertedWithCustomError(there, "NoNotice");
        await there.deploy(owner, owner, 1);
      } finally {
        await production.close();
      }
    });
  });
});
