import { expect } from "chai";

import { attestationLedgerAbi } from "../../protocol/abi/attestationLedger.ts";
import { packFacts } from "../../protocol/state/instanceWord.ts";
import { TcbStatus, TeeKind } from "../../protocol/words/enums.ts";
import { toHex, type Address, type Bytes32 } from "../../protocol/words/hex.ts";
import { devnetAccounts } from "../../scripts/devnet/accounts.ts";
import { deployCharter } from "../../scripts/deploy.ts";
import { issueCollateral } from "../../worker/tee/simulator/collateral.ts";
import { SIMULATED_IMAGE } from "../../worker/tee/simulator/measurements.ts";
import { createTestPki } from "../../worker/tee/simulator/pki.ts";
import { simulatedPlatform } from "../../worker/tee/simulator/platform.ts";
import { keyOf, ProvenChain } from "../support/provenChain.ts";
import { startGovernedChain, type GovernedChain } from "./support/governedChain.ts";

const { deployer, owner, committee, guardian } = devnetAccounts;
const NOTICE = 2 * 86_400;
// Hours where the devnet has seconds: nothing here may fail because the machine is slow.
const VOTING_DELAY = 3_600;
const VOTING_PERIOD = 7_200;
const TIMELOCK_DELAY = 1_800;
const now = Math.floor(Date.now() / 1000);

interface Shown {
  readonly disputes: string | null;
  readonly noticeSeconds: number;
  readonly current: Found;
  readonly next: Found | null;
}
interface Found {
  readonly seats: { member: string; marked: boolean; signers: string[] }[];
  readonly threshold: number;
  readonly daysLeft: number;
  readonly canSign: boolean;
}

describe("charter committee, against the deployed contracts", function () {
  this.timeout(600_000);
  const pki = createTestPki({ notBefore: now - 86_400, secret: new Uint8Array(32).fill(7) });
  const platform = simulatedPlatform(pki, { name: "one" });
  const elsewhere = simulatedPlatform(pki, { name: "two" });
  let chain: GovernedChain;
  let proven: ProvenChain;

  before(async () => {
    chain = await startGovernedChain((rpcUrl) =>
      deployCharter({
        rpcUrl,
        privateKey: deployer.key,
        parameters: {
          votesHolder: owner.address,
          timelockDelaySeconds: TIMELOCK_DELAY,
          votingDelaySeconds: VOTING_DELAY,
          votingPeriodSeconds: VOTING_PERIOD,
          committeeMembers: committee.map(({ address }) => address),
          committeeThreshold: 2,
          committeeExpiresAt: now + 365 * 86_400,
          testRootPem: pki.file.root,
        },
      }),
    );
    proven = new ProvenChain(chain.anvil.url, chain.deployment);
  });
  after(() => chain.stop());

  const done = async <T = Record<string, unknown>>(...args: string[]): Promise<T> => {
    const run = await chain.as(owner, ...args);
    expect(run.stderr, args.join(" ")).to.equal("");
    return run.result<T>();
  };
  const show = () => done<Shown>("committee", "show");
  const file = (name: string, text: unknown): string =>
    chain.folder.file(name, typeof text === "string" ? text : JSON.stringify(text));
  const dispute = (evidence: string, ...more: string[]) =>
    chain.as(guardian, "committee", "dispute", "--evidence", evidence, ...more);

  it("show_genesis_saysWhoSignsAndForHowManyDays", async () => {
    const { current, next, disputes, noticeSeconds } = await show();
    expect(current.seats).to.deep.equal(
      committee.map(({ address }) => ({ member: address, marked: false, signers: [address] })),
    );
    expect(current).to.include({ threshold: 2, canSign: true });
    expect(current.daysLeft).to.be.within(363, 365);
    expect(next).to.equal(null);
    expect(disputes).to.equal(chain.deployment.committeeDisputes);
    expect(noticeSeconds).to.equal(NOTICE);
  });

  it("propose_ofOperators_wantsLiveSignersOrAYes", async () => {
    const compose = file("relayer.yml", "services:\n  web:\n    image: busybox:1.36\n");
    const { app } = await done<{ app: Address }>(
      ...["app", "create", "--compose", compose, "--name", "relayer", "--lease-signer", owner.address],
    );
    const args = ["committee", "propose", "--app", app, "--member", owner.address];
    const more = ["--threshold", "1", "--expires", String(now + 86_400 * 30)];
    const unready = await chain.as(owner, ...args, ...more);
    expect(unready.error()).to.deep.include({
      code: "committee/cannot-sign",
      details: { threshold: 1, members: [owner.address], withoutSigner: [owner.address] },
    });
    expect(unready.exitCode).to.equal(2);
    const unknown = await chain.as(owner, "committee", "propose", "--app", owner.address, ...more);
    expect(unknown.error().code).to.equal("app/unknown");
    // The app takes the committee's own word: the contract refuses that, before any vote.
    const circular = await chain.as(owner, ...args, ...more, "--yes", "--governor", "deployment");
    expect(circular.error().details).to.include({ error: "DirectNotRequired" });
  });

  it("propose_byTheDao_waitsTheNotice", async () => {
    const expires = now + 300 * 86_400;
    const members = [guardian.address, owner.address];
    const args = members.flatMap((member) => ["--member", member]);
    const more = ["--threshold", "2", "--expires", String(expires)];
    const refused = await chain.as(owner, "committee", "propose", ...args, ...more);
    expect(refused.exitCode).to.equal(2);
    expect(refused.error().details).to.include({ error: "OwnableUnauthorizedAccount" });

    await done("dao", "delegate", owner.address);
    const { proposal } = await done<{ proposal: string }>(
      ...["committee", "propose", ...args, ...more, "--governor", "deployment"],
    );
    const { calls } = await done<{ calls: { contract: string }[] }>("dao", "show", proposal);
    expect(calls[0]).to.include({ contract: "committeeVerifier" });
    await chain.pass(VOTING_DELAY + 1);
    await done("dao", "vote", proposal, "for");
    await chain.pass(VOTING_PERIOD + 1);
    await done("dao", "queue", proposal);
    await chain.pass(TIMELOCK_DELAY);
    await done("dao", "execute", proposal);
    const { next } = await show();
    expect(next?.seats.map(({ member }) => member)).to.deep.equal([...members].sort());
    expect(next).to.include({ threshold: 2, expiresAt: expires });
    // Taking it back is the owner's, too.
    const stranger = await chain.as(guardian, "committee", "cancel");
    expect(stranger.error().details).to.include({ error: "OwnableUnauthorizedAccount" });
    await done("committee", "cancel", "--governor", "deployment");
  });

  it("dispute_honestOrOtherEvidence_marksNobody", async () => {
    const set = file("collateral.json", issueCollateral(pki, { at: now - 60 }));
    await done("collateral", "put", "--set", set);
    const { quote, receipt } = await proven.register(platform, keyOf("node 1"));
    const evidence = file("honest.hex", toHex(quote));
    const honest = await dispute(evidence, "--transaction", receipt.transactionHash);
    expect(honest.error().details).to.include({ error: "NoContradiction" });
    const { quote: another } = await proven.evidence(platform, {
      purpose: "node",
      subject: owner.address,
      key: owner.address,
    });
    const other = await dispute(file("other.hex", toHex(another)), "--transaction", receipt.transactionHash);
    expect(other.error().code).to.equal("dispute/other-evidence");
    expect((await dispute(evidence)).error().code).to.equal("cli/usage");
    const posted = await dispute(evidence, "--transaction", `0x${"11".repeat(32)}`);
    expect(posted.exitCode).not.to.equal(0);
    expect((await show()).current.seats.some(({ marked }) => marked)).to.equal(false);
  });

  it("dispute_claimOfALyingBatch_marksItsSigners", async () => {
    await proven.register(elsewhere, keyOf("node 2"));
    const key = keyOf("instance");
    const [app, instance] = [owner.address, key.address.toLowerCase() as Address];
    const image = { ...SIMULATED_IMAGE, advisoriesDigest: `0x${"00".repeat(32)}` as Bytes32 };
    await proven.send(owner, {
      address: chain.deployment.attestationLedger,
      abi: attestationLedgerAbi,
      functionName: "keepImage",
      args: [image],
    });
    const { quote, digest, binding } = await proven.evidence(platform, {
      purpose: "instance",
      subject: app,
      key: instance,
      composeHash: `0x${"c0".repeat(32)}` as Bytes32,
    });
    // The machine is node 1; the committee says node 2.
    const facts = packFacts({
      release: 1,
      node: 2,
      image: 1,
      kind: TeeKind.Tdx,
      status: TcbStatus.UpToDate,
      simulated: true,
      gpu: false,
      combines: false,
      evidenceBlock: binding.blockNumber,
      expiresAt: now + 80_000,
    });
    const leaf = { app, key: instance, facts, evidenceDigest: digest };
    const filler = { ...leaf, key: owner.address };
    const { paths } = await proven.postBatch([filler, leaf], binding.blockNumber);
    const claimed = await proven.claim(leaf, paths[1] ?? [], key);
    const run = await dispute(file("leaf.hex", toHex(quote)), "--transaction", claimed.transactionHash);
    expect(run.stderr).to.equal("");
    const liars = committee.slice(0, 2).map(({ address }) => address);
    expect(run.result()).to.deep.include({
      contradiction: "Platform",
      evidenceDigest: digest,
      marked: liars.map((signer) => ({ signer, seat: signer })),
    });
    const { current } = await show();
    expect(current.seats.map(({ marked }) => marked)).to.deep.equal([true, true, false]);
    expect(current.canSign).to.equal(false);
  });

  it("dispute_verdictInAFile_marksWhoSigned", async () => {
    const found = await proven.evidence(platform, {
      purpose: "node",
      subject: owner.address,
      key: owner.address,
    });
    const lie = { ...(await proven.verdict(found, platform)), key: guardian.address };
    const signatures = await proven.signVerdict(lie, committee.slice(2));
    const statement = file("verdict.json", {
      verdict: { ...lie, evidenceBlock: Number(lie.evidenceBlock) },
      signatures,
    });
    const evidence = file("verdict.hex", toHex(found.quote));
    const malformed = file("malformed.json", { verdict: {}, signatures });
    expect((await dispute(evidence, "--statement", malformed)).error().code).to.equal("statement/malformed");
    const run = await dispute(evidence, "--statement", statement);
    expect(run.stderr).to.equal("");
    expect(run.result()).to.include({ contradiction: "Binding" });
    expect((await show()).current.seats.every(({ marked }) => marked)).to.equal(true);
  });
});
