import { expect } from "chai";
import { StandardMerkleTree } from "@openzeppelin/merkle-tree";
import { readFileSync } from "node:fs";
import { sha256, stringToHex, type Abi } from "viem";

import { attestationLedgerAbi } from "../../protocol/abi/attestationLedger.ts";
import { endorsementsAbi } from "../../protocol/abi/endorsements.ts";
import { nodeRegistryAbi } from "../../protocol/abi/nodeRegistry.ts";
import { zkVerifierAbi } from "../../protocol/abi/zkVerifier.ts";
import { padded } from "../../protocol/policy/endorsements.ts";
import type { Address, Bytes32 } from "../../protocol/words/hex.ts";
import { devnetAccounts } from "../../scripts/devnet/accounts.ts";
import { issueCollateral, type IssuedCollateral } from "../../worker/tee/simulator/collateral.ts";
import { SIMULATED_IMAGE } from "../../worker/tee/simulator/measurements.ts";
import { createTestPki, SIMULATED_FMSPC } from "../../worker/tee/simulator/pki.ts";
import { simulatedPlatform } from "../../worker/tee/simulator/platform.ts";
import {
  encodeJournal,
  gatewayCall,
  PLATFORM_CA,
  PROGRAM,
  SEAL,
  type Journal,
} from "../contracts/attestation/zk/support/journal.ts";
import { keyOf, ProvenChain } from "../support/provenChain.ts";
import { deployGateway } from "./support/gateway.ts";
import { startDaoChain, type DaoChain } from "./support/daoChain.ts";

const { owner, operator, guardian, outbox, lease } = devnetAccounts;
const now = Math.floor(Date.now() / 1000);
const NOTICE = 3_600;
const ZERO = `0x${"00".repeat(32)}` as Bytes32;
const member = (byte: string) => `0x${byte.repeat(32)}` as Bytes32;

describe("charter endorsement, zk and proof, against the deployed contracts", function () {
  this.timeout(600_000);
  const pki = createTestPki({ notBefore: now - 86_400, secret: new Uint8Array(32).fill(7) });
  const platform = simulatedPlatform(pki, { name: "one" });
  let chain: DaoChain;
  let proven: ProvenChain;
  let gateway: { address: Address; abi: Abi };
  let adapter: Address;
  let set: IssuedCollateral;
  before(async () => {
    chain = await startDaoChain(pki, async (rpcUrl) => {
      gateway = await deployGateway(rpcUrl);
      return { sp1Gateway: gateway.address, zkNoticeSeconds: NOTICE };
    });
    proven = new ProvenChain(chain.anvil.url, chain.deployment);
    adapter = chain.deployment.sp1Adapter as Address;
    set = issueCollateral(pki, { at: now - 60 });
    await chain.done(outbox, "collateral", "put", "--set", json("collateral.json", set));
  });
  after(() => chain.stop());

  const json = (name: string, value: unknown) => chain.folder.file(name, JSON.stringify(value));
  const endorsements = () => ({ address: chain.deployment.endorsements, abi: endorsementsAbi }) as const;
  const numbered = (list: number): Bytes32 => `0x${list.toString(16).padStart(64, "0")}` as Bytes32;

  it("endorsementRoot_ofAFile_letsAnyoneEnterItsMembers", async () => {
    const { list } = await chain.done<{ list: number }>(
      ...[owner, "endorsement", "create-list", owner.address],
    );
    const id = numbered(list);
    const members = [member("aa"), member("bb"), padded(operator.address), member("cc"), member("dd")];
    const file = chain.folder.file(
      "members.txt",
      `# seen in a data centre\n${member("aa")}\n\n${member("bb")} # twice\n${operator.address}\n${member("cc")}\n${member("dd")}\n`,
    );
    const theirs = StandardMerkleTree.of(
      members.map((one) => [one]),
      ["bytes32"],
    );
    const root = ["endorsement", "root", String(list), "--members", file];
    const stranger = await chain.refused(2, guardian, ...root);
    expect(stranger.details).to.include({ error: "NotCurator" });
    const published = await chain.done(owner, ...root);
    expect(published).to.include({ list, root: theirs.root, members: 5 });
    const kept = await proven.client.readContract({
      ...endorsements(),
      functionName: "rootOf",
      args: [id],
    });
    expect(kept).to.equal(theirs.root);

    const isListed = (one: Bytes32) =>
      proven.client.readContract({ ...endorsements(), functionName: "isListed", args: [id, one] });
    expect(await isListed(padded(operator.address))).to.equal(false);
    const enter = ["endorsement", "enter", String(list)];
    await chain.done(guardian, ...enter, operator.address, "--members", file);
    expect(await isListed(padded(operator.address))).to.equal(true);
    // By the proof that OpenZeppelin's own tool makes.
    const proof = theirs.getProof([member("cc")]).flatMap((hash) => ["--proof", hash]);
    await chain.done(guardian, ...enter, member("cc"), ...proof);
    expect(await isListed(member("cc"))).to.equal(true);

    const notThere = await chain.refused(2, guardian, ...enter, member("ee"), "--members", file);
    expect(notThere.code).to.equal("endorsement/not-a-member");
    const lie = await chain.refused(2, guardian, ...enter, member("ee"), ...proof);
    expect(lie.details).to.include({ error: "NotUnderRoot" });
    expect(await isListed(member("ee"))).to.equal(false);
    const both = await chain.refused(1, owner, ...root, theirs.root);
    expect(both.code).to.equal("cli/usage");
    const empty = chain.folder.file("empty.txt", "# nobody\n");
    const nobody = await chain.refused(1, owner, ...root.slice(0, -1), empty);
    expect(nobody.code).to.equal("endorsement/no-members");
  });

  it("endorsementHandOver_toAnother_leavesTheFirstWithoutAWord", async () => {
    const { list } = await chain.done<{ list: number }>(
      ...[owner, "endorsement", "create-list", owner.address],
    );
    const handOver = ["endorsement", "hand-over", String(list)];
    expect((await chain.refused(2, guardian, ...handOver, guardian.address)).details).to.include({
      error: "NotCurator",
    });
    expect(await chain.done(owner, ...handOver, guardian.address)).to.include({ curator: guardian.address });
    const curator = await proven.client.readContract({
      ...endorsements(),
      functionName: "curatorOf",
      args: [numbered(list)],
    });
    expect(curator.toLowerCase()).to.equal(guardian.address);
    const root = ["endorsement", "root", String(list), member("ab")];
    expect((await chain.refused(2, owner, ...root)).details).to.include({ error: "NotCurator" });
    expect(await chain.done(guardian, ...root)).to.include({ root: member("ab"), members: null });
  });

  it("zkAdd_byTheDaoAlone_countsAfterTheNotice", async () => {
    const add = ["zk", "add", "sp1", PROGRAM];
    expect((await chain.refused(2, owner, ...add)).details).to.include({
      error: "OwnableUnauthorizedAccount",
    });
    expect((await chain.refused(1, owner, "zk", "add", "riscZero", PROGRAM)).code).to.equal(
      "cli/not-deployed",
    );
    const list = () => chain.done<{ programs: Record<string, unknown>[] }>(owner, "zk", "list");
    expect((await list()).programs).to.deep.equal([]);
    await chain.decide(add, ["zk", "add", adapter, member("0b")]);
    const { programs } = await list();
    expect(programs.map(({ program }) => program)).to.deep.equal([PROGRAM, member("0b")]);
    for (const { program, effectiveAt, adapter: by } of programs) {
      expect(by).to.equal(adapter);
      const kept = await proven.client.readContract({
        address: chain.deployment.zkVerifier as Address,
        abi: zkVerifierAbi,
        functionName: "programEffectiveAt",
        args: [adapter, program as Bytes32],
      });
      expect(kept).to.equal(effectiveAt).and.not.equal(0);
    }
    await chain.decide(["zk", "remove", "sp1", member("0b")]);
    expect((await list()).programs.map(({ program }) => program)).to.deep.equal([PROGRAM]);
  });

  /** What the program would say of this verdict by the collateral on the chain; the gateway takes it, and nothing else. */
  async function proofFile(name: string, verdict: object): Promise<string> {
    const { timestamp } = await proven.client.getBlock();
    const journal = encodeJournal({
      verdict: verdict as Journal["verdict"],
      provenAt: timestamp,
      fmspc: `0x${SIMULATED_FMSPC.toLowerCase()}`,
      ca: PLATFORM_CA,
      documents: {
        tcbInfo: sha256(stringToHex(set.tcb_info)),
        qeIdentity: sha256(stringToHex(set.qe_identity)),
        pckCrl: sha256(`0x${set.pck_crl.replace(/^0x/, "")}`),
        rootCrl: sha256(`0x${set.root_ca_crl.replace(/^0x/, "")}`),
      },
    });
    await proven.send(outbox, {
      ...gateway,
      functionName: "accept",
      args: [gatewayCall("sp1", journal)],
    });
    return json(name, { adapter: "sp1", program: PROGRAM, journal, seal: SEAL });
  }

  it("proofPost_ofANode_registersAndThenRenewsIt", async () => {
    await chain.pass(NOTICE);
    const key = keyOf("node");
    for (const action of ["register", "renew"]) {
      await chain.anvil.rpc("evm_mine");
      const to = {
        purpose: "node",
        subject: operator.address,
        key: key.address.toLowerCase() as Address,
      } as const;
      const found = await proven.evidence(platform, to);
      const verdict = await proven.verdict(found, platform);
      const file = await proofFile(`${action}.json`, verdict);
      const consent = await proven.signNode(key, operator.address, platform.platformId, found.digest);
      const post = ["proof", "post", "--proof", file, "--key-signature"];
      const wrong = await chain.refused(
        2,
        operator,
        ...post,
        await proven.signNode(key, owner.address, ZERO, ZERO),
      );
      expect(wrong.details).to.include({ error: "BadKeySignature" });
      if (action === "register") {
        const stranger = await chain.refused(2, guardian, ...post, consent);
        expect(stranger.details).to.include({ error: "BadOperatorSignature" });
      }
      const posted = await chain.done(operator, ...post, consent);
      expect(posted).to.include({ action, subject: operator.address, system: "zk" });
      const kept = await proven.client.readContract({
        address: chain.deployment.nodeRegistry,
        abi: nodeRegistryAbi,
        functionName: "node",
        args: [1],
      });
      expect(kept).to.include({
        platformId: platform.platformId,
        evidenceBlock: Number(found.binding.blockNumber),
      });
    }
  });

  it("proofPost_ofAnInstance_entersItOnThePlatformsOnlyNode", async () => {
    const compose = chain.folder.file("app.yml", "services:\n  web:\n    image: busybox:1.36\n");
    const created = await chain.done<{ app: Address; composeHash: Bytes32 }>(
      ...[owner, "app", "create", "--compose", compose, "--name", "zk", "--lease-signer", lease.address],
    );
    const { app } = created;
    const { releases } = await chain.done<{ releases: { composeHash: Bytes32 }[] }>(
      owner,
      "app",
      "show",
      app,
    );
    const composeHash = releases[0]?.composeHash as Bytes32;
    const key = keyOf("instance");
    const to = { purpose: "instance", subject: app, key: key.address.toLowerCase() as Address } as const;
    const found = await proven.evidence(platform, { ...to, composeHash });
    const verdict = await proven.verdict(found, platform, composeHash);
    const file = await proofFile("instance.json", verdict);
    const consent = await proven.signInstance(key, app, found.digest);
    const post = ["proof", "post", "--key-signature", consent, "--proof"];
    expect((await chain.refused(2, outbox, ...post, file, "--node", "7")).code).to.equal("chain/refused");
    const elsewhere = { ...verdict, platformId: member("99") };
    const noNode = await chain.refused(2, outbox, ...post, await proofFile("elsewhere.json", elsewhere));
    expect(noNode).to.deep.include({
      code: "proof/node-unknown",
      details: { platformId: member("99"), nodes: [] },
    });
    const foreign = { ...verdict, consumer: guardian.address };
    const other = await chain.refused(2, outbox, ...post, await proofFile("foreign.json", foreign));
    expect(other.code).to.equal("proof/other-consumer");
    const { seal: _, ...short } = JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
    expect((await chain.refused(1, outbox, ...post, json("short.json", short))).code).to.equal(
      "proof/malformed",
    );
    // The gateway takes the last one alone.
    const posted = await chain.done(outbox, ...post, await proofFile("instance.json", verdict), "--combines");
    expect(posted).to.include({ action: "attest", subject: app });
    const kept = await proven.client.readContract({
      address: chain.deployment.attestationLedger,
      abi: attestationLedgerAbi,
      functionName: "instance",
      args: [app, to.key],
    });
    expect(kept).to.include({ node: 1, release: 1, evidenceDigest: found.digest });
    const image = { ...SIMULATED_IMAGE, advisoriesDigest: ZERO };
    expect(
      await proven.client.readContract({
        address: chain.deployment.attestationLedger,
        abi: attestationLedgerAbi,
        functionName: "image",
        args: [kept.image],
      }),
    ).to.deep.equal(image);
  });
});
