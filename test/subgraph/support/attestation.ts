import { expect } from "chai";
import { decodeFunctionData, parseEventLogs, type Abi } from "viem";

import { attestationLedgerAbi } from "../../../protocol/abi/attestationLedger.ts";
import { committeeDisputesAbi } from "../../../protocol/abi/committeeDisputes.ts";
import { committeeVerifierAbi } from "../../../protocol/abi/committeeVerifier.ts";
import { dcapCollateralAbi } from "../../../protocol/abi/dcapCollateral.ts";
import { dcapVerifierAbi } from "../../../protocol/abi/dcapVerifier.ts";
import { nodeRegistryAbi } from "../../../protocol/abi/nodeRegistry.ts";
import { collateralCalls } from "../../../protocol/evidence/dcap/onchain/collateralCalls.ts";
import { encodeFirstQuote } from "../../../protocol/evidence/dcap/onchain/encodeQuote.ts";
import { packFacts } from "../../../protocol/state/instanceWord.ts";
import { ProofSystem, TcbStatus, TeeKind } from "../../../protocol/words/enums.ts";
import type { Address, Bytes32 } from "../../../protocol/words/hex.ts";
import { devnetAccounts } from "../../../scripts/devnet/accounts.ts";
import { issueCollateral } from "../../../worker/tee/simulator/collateral.ts";
import { SIMULATED_IMAGE } from "../../../worker/tee/simulator/measurements.ts";
import type { TestPki } from "../../../worker/tee/simulator/pki.ts";
import { simulatedPlatform } from "../../../worker/tee/simulator/platform.ts";
import { keyOf, type BatchLeaf, type ProvenChain } from "../../support/provenChain.ts";
import type { Random } from "../../support/random.ts";
import type { GraphReader } from "./GraphReader.ts";

const { owner, outbox, operator } = devnetAccounts;
const ZERO = `0x${"00".repeat(32)}` as Bytes32;
const lower = (text: string): Address => text.toLowerCase() as Address;

/**
 * Everything that evidence leads to, of random numbers: collateral, nodes by both systems, instances, a batch with claims, a
 * TCB recovery with its new judgement, an invalidated and a retired node, and at last a dispute. Needs a chain whose root
 * is `pki`'s and time in its hands.
 */
export async function playAttestation(
  chain: ProvenChain,
  { pki, app, composeHash, random }: { pki: TestPki; app: Address; composeHash: Bytes32; random: Random },
): Promise<void> {
  const { deployment } = chain;
  const dcapCollateral = deployment.dcapCollateral as Address;
  const put = async (options: {
    recoveries?: number;
    revokedPcks?: readonly Uint8Array[];
  }): Promise<void> => {
    const at = Number((await chain.client.getBlock()).timestamp);
    for (const call of collateralCalls(issueCollateral(pki, { at, ...options }))) {
      await chain.send(outbox, { address: dcapCollateral, abi: dcapCollateralAbi, ...call });
    }
  };
  await put({});
  const platforms = ["one", "two", "three"].map((name) => simulatedPlatform(pki, { name }));
  const systems = [
    ProofSystem.Direct,
    ProofSystem.Committee,
    random.pick([ProofSystem.Direct, ProofSystem.Committee]),
  ];
  for (const [i, platform] of platforms.entries()) {
    await chain.register(platform, keyOf(`node ${i}`), { system: systems[i] as number });
  }
  const renewed = random.below(3);
  await chain.register(platforms[renewed] as never, keyOf(`node ${renewed}`), {
    system: systems[renewed] as number,
    renews: renewed + 1,
  });
  const prove = async (name: string, on: number, system: number): Promise<void> => {
    const platform = platforms[on];
    if (platform) await chain.attest(platform, on + 1, { app, key: keyOf(name), composeHash, system });
  };
  await prove("a", random.below(3), ProofSystem.Committee);
  await prove("b", 0, ProofSystem.Direct);
  if (random.chance(0.5)) await prove("a", random.below(3), ProofSystem.Direct);

  // A batch: each leaf's word has other bits; one lies about its machine.
  await chain.send(owner, {
    address: deployment.attestationLedger,
    abi: attestationLedgerAbi,
    functionName: "keepImage",
    args: [{ ...SIMULATED_IMAGE, advisoriesDigest: `0x${"ad".repeat(32)}` }],
  });
  const found = await chain.evidence(platforms[0] as never, {
    purpose: "instance",
    subject: app,
    key: lower(keyOf("liar").address),
    composeHash,
  });
  const leafOf = (name: string, node: number, evidenceDigest: Bytes32): BatchLeaf => ({
    app,
    key: lower(keyOf(name).address),
    evidenceDigest,
    facts: packFacts({
      release: 1,
      node,
      image: 1 + random.below(2),
      kind: TeeKind.Tdx,
      status: random.pick([TcbStatus.UpToDate, TcbStatus.OutOfDate]),
      simulated: true,
      gpu: random.chance(0.5),
      combines: random.chance(0.5),
      evidenceBlock: found.binding.blockNumber,
      expiresAt: Number(found.binding.blockNumber) + 2_000_000_000,
    }),
  });
  const digest = (byte: number): Bytes32 => `0x${byte.toString(16).padStart(2, "0").repeat(32)}` as Bytes32;
  const names = ["liar", "b", "c", "d"];
  const leaves = names.map((name, i) =>
    leafOf(name, i === 0 ? 2 : 1 + random.below(3), i === 0 ? found.digest : digest(i)),
  );
  const { paths } = await chain.postBatch(leaves, found.binding.blockNumber);
  for (const [i, leaf] of leaves.entries()) {
    if (i < 2 || random.chance(0.7)) await chain.claim(leaf, paths[i] ?? [], keyOf(names[i] as string));
  }

  // A TCB recovery, then a revocation: the direct node's record is judged anew, and its node falls.
  await put({ recoveries: 1 });
  const rejudge = async (): Promise<void> => {
    const verifier = deployment.dcapVerifier as Address;
    const logs = await chain.client.getLogs({ address: verifier, fromBlock: 0n });
    // That which node 1 rests on now: a renewal makes another.
    const { record: current } = await chain.client.readContract({
      address: deployment.nodeRegistry,
      abi: nodeRegistryAbi,
      functionName: "node",
      args: [1],
    });
    const recorded = parseEventLogs({ abi: dcapVerifierAbi, eventName: "PlatformRecorded", logs }).find(
      ({ args }) => args.record === current,
    );
    if (!recorded) throw new Error("no record");
    const { record, facts } = recorded.args;
    await chain.send(outbox, {
      address: verifier,
      abi: dcapVerifierAbi,
      functionName: "rejudge",
      args: [record, facts],
    });
  };
  await rejudge();
  const dispute = await disputeCall(chain, leaves, paths, encodeFirstQuote(found.quote));
  await chain.send(outbox, dispute);
  await put({ recoveries: 1, revokedPcks: [platforms[0]?.pckSerial as Uint8Array] });
  await rejudge();
  const registry = { address: deployment.nodeRegistry, abi: nodeRegistryAbi as Abi };
  await chain.send(outbox, { ...registry, functionName: "invalidate", args: [1] });
  await chain.send(operator, { ...registry, functionName: "retire", args: [3] });
}

/** The posted batch's own signatures against its first leaf. */
async function disputeCall(
  chain: ProvenChain,
  [leaf]: readonly BatchLeaf[],
  [path]: readonly (readonly Bytes32[])[],
  quote: `0x${string}`,
) {
  const { attestationLedger, committeeDisputes } = chain.deployment;
  const logs = await chain.client.getLogs({ address: attestationLedger, fromBlock: 0n });
  const [posted] = parseEventLogs({ abi: attestationLedgerAbi, eventName: "BatchPosted", logs });
  if (!posted) throw new Error("no batch");
  const { input } = await chain.client.getTransaction({ hash: posted.transactionHash });
  const { args } = decodeFunctionData({ abi: attestationLedgerAbi, data: input });
  const [, count, validUntil, minBlock, blockHash, signatures] = args as readonly unknown[];
  return {
    address: committeeDisputes as Address,
    abi: committeeDisputesAbi as Abi,
    functionName: "disputeLeaf",
    args: [{ count, validUntil, minBlock, blockHash }, leaf, path, signatures, quote, "0x", "0x"],
  };
}

interface Indexed {
  readonly nodes: Record<string, string | number | boolean>[];
  readonly instances: (Record<string, string | number | boolean> & {
    key: string;
    release: { number: number };
    node: { number: number };
  })[];
  readonly proofs: {
    instance: { key: string };
    evidenceDigest: string;
    expiresAt: string;
    system: number;
    nodeNumber: number;
  }[];
  readonly images: Record<string, string>[];
  readonly batches: Record<string, string | number>[];
  readonly platformRecords: {
    number: string;
    platformId: string;
    status: number | null;
    judgements: { newStatus: number }[];
  }[];
  readonly collateralUpdates: {
    what: string;
    document: string | null;
    epoch: string | null;
    number: string;
    validUntil: string;
    block: string;
  }[];
  readonly committees: Record<string, unknown>[];
  readonly disputes: {
    contradiction: number;
    signers: string[];
    statement: string;
    evidenceDigest: string;
  }[];
  readonly markedSigners: { account: string }[];
}

/** Holds every entity of it to what the contracts answer after the same block. */
export async function compareAttestation(
  graph: GraphReader,
  chain: ProvenChain,
  app: Address,
  block: number,
): Promise<void> {
  const blockNumber = BigInt(block);
  const { deployment, client } = chain;
  const found = await graph.at<Indexed>(
    block,
    `{ nodes(block: AT, orderBy: number) { number platformId operator key kind status simulated retired invalidated record evidenceBlock attestedAt expiresAt }
       instances(block: AT, where: { app: "${app}" }) { key kind status simulated gpu proofSystems evidenceBlock expiresAt record osImageHash measurementDigest
         pinnedMeasurementDigest advisoriesDigest evidenceDigest release { number } node { number } }
       proofs(block: AT, first: 1000, orderBy: block) { instance { key } evidenceDigest expiresAt system nodeNumber }
       images(block: AT) { id osImageHash measurementDigest pinnedMeasurementDigest advisoriesDigest }
       batches(block: AT) { id count validUntil minBlock blockHash verifier block }
       platformRecords(block: AT, orderBy: number) { number platformId status judgements(orderBy: block) { newStatus } }
       collateralUpdates(block: AT, first: 1000, orderBy: block) { what document epoch number validUntil block }
       committees(block: AT) { verifier members threshold effectiveAt expiresAt ledger app cancelledAt }
       disputes(block: AT) { contradiction signers statement evidenceDigest }
       markedSigners(block: AT) { account } }`,
  );
  const registry = { address: deployment.nodeRegistry, abi: nodeRegistryAbi, blockNumber } as const;
  const ledger = { address: deployment.attestationLedger, abi: attestationLedgerAbi, blockNumber } as const;
  const committee = {
    address: deployment.committeeVerifier,
    abi: committeeVerifierAbi,
    blockNumber,
  } as const;

  expect(found.nodes).to.have.length(await client.readContract({ ...registry, functionName: "nodeCount" }));
  for (const node of found.nodes) {
    const kept = await client.readContract({
      ...registry,
      functionName: "node",
      args: [Number(node.number)],
    });
    for (const field of ["kind", "status", "simulated", "retired", "invalidated"] as const) {
      expect(node[field], `node ${node.number} ${field}`).to.equal(kept[field]);
    }
    for (const field of ["record", "evidenceBlock", "attestedAt", "expiresAt"] as const) {
      expect(node[field], `node ${node.number} ${field}`).to.equal(String(kept[field]));
    }
    for (const field of ["operator", "key", "platformId"] as const) {
      expect(node[field], `node ${node.number} ${field}`).to.equal(lower(kept[field]));
    }
  }

  for (const instance of found.instances) {
    const args = [app, instance.key as Address] as const;
    const kept = await client.readContract({ ...ledger, functionName: "instance", args });
    const image = await client.readContract({ ...ledger, functionName: "image", args: [kept.image] });
    const { release, node, evidenceDigest, ...flat } = instance;
    for (const field of ["kind", "status", "simulated", "gpu", "proofSystems"] as const) {
      expect(flat[field], `${instance.key} ${field}`).to.equal(kept[field]);
    }
    for (const field of ["evidenceBlock", "expiresAt", "record"] as const) {
      expect(flat[field], `${instance.key} ${field}`).to.equal(String(kept[field]));
    }
    expect([release.number, node.number]).to.deep.equal([kept.release, kept.node]);
    // The contract keeps a digest only where proofs are to be combined.
    if (kept.evidenceDigest !== ZERO) expect(evidenceDigest).to.equal(kept.evidenceDigest);
    for (const [field, value] of Object.entries(image))
      expect(flat[field], `${instance.key} ${field}`).to.equal(value);
    const last = found.proofs.filter(({ instance: { key } }) => key === instance.key).at(-1);
    expect(last).to.include({ evidenceDigest, expiresAt: flat.expiresAt, nodeNumber: node.number });
  }
  const entered = (await client.getLogs({ address: ledger.address, fromBlock: 0n, toBlock: blockNumber }))
    .length;
  const named = parseEventLogs({
    abi: attestationLedgerAbi,
    logs: await client.getLogs({ address: ledger.address, fromBlock: 0n, toBlock: blockNumber }),
  });
  expect(named).to.have.length(entered);
  const proofs = named.filter(
    ({ eventName }) => eventName === "InstanceProven" || eventName === "InstanceClaimed",
  );
  expect(found.proofs).to.have.length(proofs.length);

  for (const { id, ...measured } of found.images) {
    expect(await client.readContract({ ...ledger, functionName: "image", args: [Number(id)] })).to.deep.equal(
      measured,
    );
  }
  expect(found.batches).to.have.length(named.filter(({ eventName }) => eventName === "BatchPosted").length);
  for (const batch of found.batches) {
    const kept = await client.readContract({ ...ledger, functionName: "batch", args: [batch.id as Bytes32] });
    expect([batch.validUntil, batch.minBlock, batch.block]).to.deep.equal(kept.map(String));
    expect(batch.verifier).to.equal(deployment.committeeVerifier);
    expect((await client.getBlock({ blockNumber: BigInt(batch.minBlock as string) })).hash).to.equal(
      batch.blockHash,
    );
  }

  const verifier = {
    address: deployment.dcapVerifier as Address,
    abi: dcapVerifierAbi,
    blockNumber,
  } as const;
  expect(found.platformRecords).to.have.length(
    await client.readContract({ ...verifier, functionName: "recordCount" }),
  );
  for (const record of found.platformRecords) {
    const standing = await client.readContract({
      ...verifier,
      functionName: "standing",
      args: [Number(record.number)],
    });
    const last = record.judgements.at(-1);
    expect(record.status).to.equal(last ? last.newStatus : null);
    if (record.status !== null) expect(record.status).to.equal(standing.status);
  }
  await compareCollateral(chain, found.collateralUpdates, blockNumber);

  const sits = await client.readContract({ ...committee, functionName: "committee" });
  expect(found.committees).to.deep.include({
    verifier: deployment.committeeVerifier,
    members: sits.members.map(lower),
    threshold: sits.threshold,
    effectiveAt: String(sits.effectiveAt),
    expiresAt: String(sits.expiresAt),
    ledger: null,
    app: null,
    cancelledAt: null,
  });
  const accounts = [...devnetAccounts.committee, owner].map(({ address }) => address);
  for (const account of accounts) {
    const isMarked = await client.readContract({ ...committee, functionName: "isMarked", args: [account] });
    expect(
      found.markedSigners.some((marked) => marked.account === account),
      account,
    ).to.equal(isMarked);
  }
  const disputed = parseEventLogs({
    abi: committeeDisputesAbi,
    logs: await client.getLogs({
      address: deployment.committeeDisputes as Address,
      fromBlock: 0n,
      toBlock: blockNumber,
    }),
  });
  expect(found.disputes).to.deep.equal(
    disputed.map(({ args }) => ({
      contradiction: args.contradiction,
      signers: args.signers.map(lower),
      statement: args.statement,
      evidenceDigest: args.evidenceDigest,
    })),
  );
}

/** Epochs rise with content alone, and the newest of each document is what DcapCollateral names as its own. */
async function compareCollateral(
  chain: ProvenChain,
  updates: Indexed["collateralUpdates"],
  blockNumber: bigint,
): Promise<void> {
  const address = chain.deployment.dcapCollateral as Address;
  const [fmspc] = parseEventLogs({
    abi: dcapCollateralAbi,
    eventName: "TcbInfoKept",
    logs: await chain.client.getLogs({ address, fromBlock: 0n, toBlock: blockNumber }),
  }).map(({ args }) => args.fmspc);
  const last = (what: string) => updates.filter((update) => update.what === what).at(-1);
  const isWhole = last("TcbInfo") !== undefined && last("QeIdentity") !== undefined;
  // A block between the certificates, which come first, and the last document: the contract names none yet.
  if (!fmspc || !isWhole) return expect(isWhole).to.equal(false) as unknown as void;
  const [documents] = await chain.client.readContract({
    address,
    abi: dcapCollateralAbi,
    functionName: "documentsOf",
    args: [TeeKind.Tdx, fmspc, 1],
    blockNumber,
  });
  expect(last("TcbInfo")?.document).to.equal(documents.tcbInfo);
  expect(last("QeIdentity")?.document).to.equal(documents.qeIdentity);
  for (const what of ["TcbInfo", "QeIdentity"]) {
    const numbers = updates.filter((update) => update.what === what);
    for (const [i, update] of numbers.entries()) {
      const before = numbers[i - 1];
      if (before) expect(Number(update.epoch) >= Number(before.epoch), `${what} epochs`).to.equal(true);
    }
  }
}
