import { expect } from "chai";

import { dcapCollateralAbi } from "../../protocol/abi/dcapCollateral.ts";
import { nodeRegistryAbi } from "../../protocol/abi/nodeRegistry.ts";
import { ProofSystem } from "../../protocol/words/enums.ts";
import { toHex, type Address } from "../../protocol/words/hex.ts";
import { devnetAccounts } from "../../scripts/devnet/accounts.ts";
import { issueCollateral } from "../../worker/tee/simulator/collateral.ts";
import { createPcs } from "../../worker/tee/simulator/pcs.ts";
import { createTestPki, SIMULATED_FMSPC } from "../../worker/tee/simulator/pki.ts";
import { simulatedPlatform } from "../../worker/tee/simulator/platform.ts";
import { keyOf, ProvenChain } from "../support/provenChain.ts";
import { startDaoChain, type DaoChain } from "./support/daoChain.ts";
import { runInProcess } from "./support/runInProcess.ts";

const { owner, operator, guardian, outbox } = devnetAccounts;
const now = Math.floor(Date.now() / 1000);

interface Brought {
  readonly pieces: { piece: string; outcome: "kept" | "older"; transaction: string | null }[];
}

describe("charter node, operator and collateral, against the deployed contracts", function () {
  this.timeout(600_000);
  const pki = createTestPki({ notBefore: now - 86_400, secret: new Uint8Array(32).fill(7) });
  const [platform, another] = ["one", "two"].map((name) => simulatedPlatform(pki, { name })) as [
    ReturnType<typeof simulatedPlatform>,
    ReturnType<typeof simulatedPlatform>,
  ];
  let chain: DaoChain;
  let proven: ProvenChain;
  before(async () => {
    chain = await startDaoChain(pki);
    proven = new ProvenChain(chain.anvil.url, chain.deployment);
  });
  after(() => chain.stop());

  const registry = () => ({ address: chain.deployment.nodeRegistry, abi: nodeRegistryAbi }) as const;
  const kept = (number: number) =>
    proven.client.readContract({ ...registry(), functionName: "node", args: [number] });
  const time = async () => Number((await proven.client.getBlock()).timestamp);
  const show = (number: number) => chain.done(owner, "node", "show", String(number));
  const json = (name: string, value: unknown) => chain.folder.file(name, JSON.stringify(value));
  const outcomes = ({ pieces }: Brought) => pieces.map(({ outcome }) => outcome);

  it("collateralPut_singleFiles_keepsEachInTheContractsOrder", async () => {
    const set = issueCollateral(pki, { at: now - 3_600 });
    const document = (name: string, text: string, signature: string) =>
      chain.folder.file(`${name}.json`, `{"${name}":${text},"signature":"${signature}"}`);
    const pem = (name: string, text: string) => chain.folder.file(name, text);
    const der = (name: string, hex: string) =>
      chain.folder.file(name, Buffer.from(hex.replace(/^0x/, ""), "hex"));
    const rootCrl = der("root.crl", set.root_ca_crl);
    const first = await chain.done<Brought>(outbox, "collateral", "put", "--crl", rootCrl);
    expect(outcomes(first)).to.deep.equal(["kept"]);
    const rest = await chain.done<Brought>(
      ...[outbox, "collateral", "put"],
      ...["--tcb-info", document("tcbInfo", set.tcb_info, set.tcb_info_signature)],
      ...["--identity", document("enclaveIdentity", set.qe_identity, set.qe_identity_signature)],
      ...["--certificate", pem("pck-ca.pem", set.pck_crl_issuer_chain)],
      ...["--certificate", pem("signer.pem", set.tcb_info_issuer_chain)],
    );
    expect(outcomes(rest)).to.deep.equal(["kept", "kept", "kept", "kept"]);
    expect(rest.pieces.map(({ piece }) => piece.replace(/.*\//, ""))).to.deep.equal([
      ...["pck-ca.pem", "signer.pem", "enclaveIdentity.json", "tcbInfo.json"],
    ]);
    const crl = await chain.done<Brought>(
      ...[outbox, "collateral", "put", "--crl", der("pck.crl", set.pck_crl)],
    );
    expect(outcomes(crl)).to.deep.equal(["kept"]);
    const changed = set.tcb_info_signature.replace(/^../, (byte) => (byte === "00" ? "01" : "00"));
    const forged = document("tcbInfo", set.tcb_info, changed);
    const refused = await chain.refused(2, outbox, "collateral", "put", "--tcb-info", forged);
    expect(refused).to.deep.include({ code: "chain/refused", details: { error: "BadSignature" } });
    expect((await chain.refused(1, outbox, "collateral", "put")).code).to.equal("cli/usage");
  });

  it("collateralPut_forAQuote_fetchesItsFamilyAndPassesOverWhatIsOlder", async () => {
    const { quote } = await proven.evidence(platform, {
      purpose: "node",
      subject: owner.address,
      key: owner.address,
    });
    const evidence = chain.folder.file("quote.hex", toHex(quote));
    let at = now - 60;
    const { server, reissue } = createPcs({ pki, now: () => at });
    const pcs = await server.listen({ host: "127.0.0.1", port: 0 });
    try {
      const put = ["collateral", "put", "--for", evidence, "--pcs", pcs];
      expect(outcomes(await chain.done<Brought>(outbox, ...put))).to.deep.equal(Array(6).fill("kept"));
      at = now - 7_200;
      reissue();
      const older = await chain.done<Brought>(outbox, ...put);
      expect(outcomes(older)).to.include("older");
      for (const { outcome, transaction } of older.pieces)
        expect(transaction === null).to.equal(outcome === "older");
    } finally {
      await server.close();
    }
    const gone = await chain.refused(4, outbox, "collateral", "put", "--for", evidence, "--pcs", pcs);
    expect(gone.code).to.equal("collateral/unreachable");
    expect((await chain.refused(1, outbox, "collateral", "put", "--pcs", pcs)).code).to.equal("cli/usage");
  });

  it("show_nodeOfARecord_saysHowItStands", async () => {
    await proven.register(platform, keyOf("node 1"), { system: ProofSystem.Direct });
    await proven.register(another, keyOf("node 2"));
    const { expiresAt, record } = await kept(1);
    expect(record).to.equal(1);
    const direct = await show(1);
    expect(direct).to.deep.include({
      ...{ node: 1, isActive: true, reason: null, operator: operator.address, kind: "Tdx" },
      ...{ status: "UpToDate", simulated: true, platformId: platform.platformId, expiresAt, record: 1 },
      verifier: chain.deployment.dcapVerifier,
    });
    expect(direct.standing).to.deep.include({ status: "UpToDate", revoked: false, staleSince: null });
    expect(await show(2)).to.deep.include({ isActive: true, record: 0, standing: null });
    const forPeople = await runInProcess(["node", "show", "1"], chain.environment(owner));
    expect(forPeople.stdout)
      .to.match(/^node +1: active\n/)
      .and.include("record       1: UpToDate\n");
    const unknown = await chain.refused(2, owner, "node", "show", "9");
    expect(unknown).to.deep.include({ code: "chain/refused", details: { error: "UnknownNode", number: 9 } });
  });

  it("rejudge_afterARecovery_changesTheRecordsStatus", async () => {
    const committee = await chain.refused(2, outbox, "node", "rejudge", "2");
    expect(committee.code).to.equal("node/no-record");
    const set = json("recovered.json", issueCollateral(pki, { at: await time(), recoveries: 1 }));
    await chain.done(outbox, "collateral", "put", "--set", set);
    const stale = (await show(1)).standing as { staleSince: number | null };
    expect(stale.staleSince).to.be.a("number");
    const judged = await chain.done(outbox, "node", "rejudge", "1");
    expect(judged).to.include({ node: 1, record: 1, status: "OutOfDate" });
    expect((await show(1)).standing).to.deep.include({ status: "OutOfDate", staleSince: null });
  });

  it("invalidate_revokedPlatform_takesItOut", async () => {
    const early = await chain.refused(2, outbox, "node", "invalidate", "1");
    expect(early.details).to.include({ error: "NodeStillValid", status: "OutOfDate" });
    expect((await chain.refused(2, outbox, "node", "invalidate", "2")).details).to.include({
      error: "NodeHasNoRecord",
    });
    const revokedPcks = [platform.pckSerial];
    const set = issueCollateral(pki, { at: await time(), recoveries: 1, revokedPcks });
    await chain.done(outbox, "collateral", "put", "--set", json("revoked.json", set));
    expect((await show(1)).reason).to.match(/^suspended: its certificate/);
    await chain.done(outbox, "node", "rejudge", "1");
    const { transaction } = await chain.done(outbox, "node", "invalidate", "1");
    expect(transaction).to.match(/^0x[0-9a-f]{64}$/);
    expect((await kept(1)).invalidated).to.equal(true);
    expect(await show(1)).to.deep.include({ isActive: false });
    expect((await show(1)).reason).to.match(/^invalidated/);
  });

  it("retire_byItsOperatorAndConfirmed_endsIt", async () => {
    const unconfirmed = await chain.refused(1, operator, "node", "retire", "2");
    expect(unconfirmed).to.deep.include({ code: "cli/not-confirmed", details: { node: 2 } });
    const stranger = await chain.refused(2, guardian, "node", "retire", "2", "--yes");
    expect(stranger.details).to.include({ error: "NotOperator" });
    expect((await kept(2)).retired).to.equal(false);
    expect(await chain.done(operator, "node", "retire", "2", "--yes")).to.include({ node: 2 });
    expect((await kept(2)).retired).to.equal(true);
    expect(await show(2)).to.include({ isActive: false, reason: "retired" });
  });

  it("operatorsAndMinimum_byTheDaoAlone_bindAtOnce", async () => {
    const add = ["operator", "add", operator.address, guardian.address];
    const require = ["operator", "require-listed", "on"];
    const from = (await time()) + 30 * 86_400;
    const fmspc = `0x${SIMULATED_FMSPC.toLowerCase()}`;
    const minimum = ["collateral", "set-minimum", SIMULATED_FMSPC, "99", "--from", String(from)];
    for (const command of [add, require, minimum]) {
      const refused = await chain.refused(2, owner, ...command);
      expect(refused.details, command.join(" ")).to.include({ error: "OwnableUnauthorizedAccount" });
    }
    const list = () => chain.done<{ required: boolean; listed: string[] }>(owner, "operator", "list");
    expect(await list()).to.deep.equal({ required: false, listed: [] });
    await chain.decide(add, require, minimum);
    const listed = [operator.address, guardian.address].sort();
    expect(await list()).to.deep.equal({ required: true, listed });
    for (const [address, isListed] of [
      [operator.address, true],
      [outbox.address, false],
    ] as const) {
      const args = [address] as const;
      const answer = await proven.client.readContract({
        ...registry(),
        functionName: "isOperatorListed",
        args,
      });
      expect(answer).to.equal(isListed);
    }
    const logs = await proven.client.getContractEvents({
      address: chain.deployment.dcapCollateral as Address,
      abi: dcapCollateralAbi,
      eventName: "MinEvaluationNumberChanged",
      fromBlock: 0n,
    });
    expect(logs.map(({ args }) => args)).to.have.length(1);
    expect(logs[0]?.args).to.include({ fmspc });
    expect(Object.values(logs[0]?.args ?? {}).map(String))
      .to.include("99")
      .and.include(String(from));

    await chain.decide(["operator", "remove", operator.address]);
    expect((await list()).listed).to.deep.equal([guardian.address]);
    const unlisted = await proven.register(another, keyOf("node 3")).then(
      () => "registered",
      (error: unknown) => String(error),
    );
    expect(unlisted).to.include("OperatorNotListed");
    const usage = await chain.refused(1, owner, "operator", "require-listed", "perhaps");
    expect(usage.code).to.equal("cli/usage");
  });
});
