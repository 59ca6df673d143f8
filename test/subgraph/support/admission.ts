import { expect } from "chai";
import { encodeFunctionData, parseEventLogs, type Abi, type Hex } from "viem";

import { dcapCollateralAbi } from "../../../protocol/abi/dcapCollateral.ts";
import { nodeRegistryAbi } from "../../../protocol/abi/nodeRegistry.ts";
import { zkVerifierAbi } from "../../../protocol/abi/zkVerifier.ts";
import type { Address, Bytes32 } from "../../../protocol/words/hex.ts";
import { devnetAccounts } from "../../../scripts/devnet/accounts.ts";
import type { ProvenChain } from "../../support/provenChain.ts";
import type { Random } from "../../support/random.ts";
import type { GraphReader } from "./GraphReader.ts";

const { operator, guardian, outbox, owner } = devnetAccounts;
const ACCOUNTS = [operator, guardian, outbox, owner].map(({ address }) => address);
const PROGRAMS = ["0a", "0b", "0c"].map((byte) => `0x${byte.repeat(32)}` as Bytes32);

/** What governance says about who registers nodes and which programs' proofs count, of random choices; as the Timelock itself. */
export async function playAdmission(
  chain: ProvenChain,
  random: Random,
  rpc: (method: string, params: unknown[]) => Promise<unknown>,
): Promise<void> {
  const { timelock, nodeRegistry, zkVerifier, sp1Adapter } = chain.deployment;
  await rpc("anvil_impersonateAccount", [timelock]);
  await rpc("anvil_setBalance", [timelock, "0xde0b6b3a7640000"]);
  const decide = async (to: Address, abi: Abi, functionName: string, args: readonly unknown[]) => {
    const data = encodeFunctionData({ abi, functionName, args });
    const hash = (await rpc("eth_sendTransaction", [{ from: timelock, to, data, gas: "0xf4240" }])) as Hex;
    const receipt = await chain.client.waitForTransactionReceipt({ hash });
    expect(receipt.status, functionName).to.equal("success");
  };
  const registry = (name: string, ...args: unknown[]) => decide(nodeRegistry, nodeRegistryAbi, name, args);
  const zk = (name: string, program: Bytes32) =>
    decide(zkVerifier as Address, zkVerifierAbi, name, [sp1Adapter, program]);
  await registry("listOperators", ACCOUNTS.slice(0, 3), true);
  await registry("requireListedOperators", true);
  for (const program of PROGRAMS) await zk("addProgram", program);
  const removed = random.pick(PROGRAMS);
  await zk("removeProgram", removed);
  await registry("listOperators", [random.pick(ACCOUNTS.slice(0, 3))], false);
  if (random.chance(0.5)) await zk("addProgram", removed);
  await registry("requireListedOperators", random.chance(0.5));
}

interface Indexed {
  readonly listedOperators: { id: Address; listed: boolean }[];
  readonly nodeRules_collection: { id: Address; listedOnly: boolean }[];
  readonly programs: {
    verifier: string;
    adapter: Address;
    program: Bytes32;
    effectiveAt: string;
    removedAt: string | null;
  }[];
  readonly collateralUpdates: Record<string, string | number | null>[];
}

/** Holds it, and every piece of collateral, to what the contracts say after the same block. */
export async function compareAdmission(graph: GraphReader, chain: ProvenChain, block: number): Promise<void> {
  const { client, deployment } = chain;
  const blockNumber = BigInt(block);
  const { nodeRegistry, zkVerifier, dcapCollateral } = deployment;
  const found = await graph.at<Indexed>(
    block,
    `{ listedOperators(block: AT) { id listed }
       nodeRules_collection(block: AT) { id listedOnly }
       programs(block: AT) { verifier adapter program effectiveAt removedAt }
       collateralUpdates(block: AT, first: 1000, orderBy: block) {
         what ca tee fmspc document number issuedAt validUntil epoch actor timestamp block } }`,
  );
  for (const address of ACCOUNTS) {
    const isListed = await client.readContract({
      address: nodeRegistry,
      abi: nodeRegistryAbi,
      functionName: "isOperatorListed",
      args: [address],
      blockNumber,
    });
    const entity = found.listedOperators.find(({ id }) => id === address);
    expect(entity?.listed ?? false, address).to.equal(isListed);
  }
  const range = { fromBlock: 0n, toBlock: blockNumber };
  const rules = parseEventLogs({
    abi: nodeRegistryAbi,
    eventName: "OperatorListChanged",
    logs: await client.getLogs({ address: nodeRegistry, ...range }),
  }).at(-1);
  const listedOnly = found.nodeRules_collection[0]?.listedOnly ?? false;
  expect(listedOnly).to.equal(rules?.args.newRequired ?? false);

  const zk = { address: zkVerifier as Address, abi: zkVerifierAbi, blockNumber } as const;
  for (const program of PROGRAMS) {
    const args = [deployment.sp1Adapter as Address, program] as const;
    const effectiveAt = await client.readContract({ ...zk, functionName: "programEffectiveAt", args });
    const entity = found.programs.find((of) => of.program === program);
    expect(entity?.removedAt === null ? entity.effectiveAt : "0", program).to.equal(String(effectiveAt));
    if (entity) expect([entity.verifier, entity.adapter]).to.deep.equal([zkVerifier, deployment.sp1Adapter]);
  }
  const logs = await client.getLogs({ address: dcapCollateral as Address, ...range });
  expect(found.collateralUpdates).to.deep.equal(
    await Promise.all(
      parseEventLogs({ abi: dcapCollateralAbi, logs }).flatMap((log) => updateOf(chain, log)),
    ),
  );
}

/** A log of DcapCollateral as the index keeps it; nothing for what is no piece of collateral. */
function updateOf(
  chain: ProvenChain,
  log: ReturnType<typeof parseEventLogs<typeof dcapCollateralAbi, true>>[number],
): Promise<Indexed["collateralUpdates"][number]>[] {
  const what = /^(Certificate|Crl|TcbInfo|QeIdentity)Kept$/.exec(log.eventName)?.[1];
  if (what === undefined) return [];
  const args = log.args as Readonly<Record<string, string | number | bigint>>;
  const text = (...names: string[]): string | null => {
    const value = names.map((name) => args[name]).find((one) => one !== undefined);
    return value === undefined ? null : String(value);
  };
  const entity = async () => ({
    what,
    ca: (args.ca as number | undefined) ?? null,
    tee: (args.tee as number | undefined) ?? null,
    fmspc: text("fmspc"),
    document: text("document"),
    number: text("serial", "number", "evaluationNumber"),
    issuedAt: text("thisUpdate", "issuedAt"),
    validUntil: text("notAfter", "nextUpdate"),
    epoch: text("epoch"),
    actor: String(args.actor).toLowerCase(),
    timestamp: String((await chain.client.getBlock({ blockNumber: log.blockNumber })).timestamp),
    block: String(log.blockNumber),
  });
  return [entity()];
}
