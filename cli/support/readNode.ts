import { dcapVerifierAbi } from "../../protocol/abi/dcapVerifier.ts";
import { nodeRegistryAbi } from "../../protocol/abi/nodeRegistry.ts";
import { nameOf, ProofSystem, TcbStatus, TeeKind } from "../../protocol/words/enums.ts";
import type { Address } from "../../protocol/words/hex.ts";
import type { Context } from "./context.ts";
import { timeText } from "./output.ts";

/** How the Direct verifier's record of a platform stands. */
export interface RecordStanding {
  readonly status: string;
  readonly revoked: boolean;
  /** Collateral of now ends here. */
  readonly validUntil: number;
  /** Since when it waits to be judged anew; null when it does not. */
  readonly staleSince: number | null;
}

/** A node as the registry and the verifier answer at one block. */
export interface NodeFound {
  readonly node: number;
  readonly time: number;
  readonly isActive: boolean;
  /** Why it does not count; null when it does. */
  readonly reason: string | null;
  readonly operator: Address;
  readonly platformId: string;
  readonly key: string;
  readonly kind: string;
  readonly status: string;
  readonly simulated: boolean;
  readonly attestedAt: number;
  readonly expiresAt: number;
  /** 0: proven by another system than Direct. */
  readonly record: number;
  /** The Direct verifier of now; null for none. */
  readonly verifier: Address | null;
  /** Null without a record, or where the verifier does not answer for it. */
  readonly standing: RecordStanding | null;
}

const NOBODY = /^0x0{40}$/;

/** Reads one node. @throws the contract's UnknownNode. */
export async function readNode(context: Context, number: number): Promise<NodeFound> {
  const client = await context.client();
  const { number: blockNumber, timestamp } = await client.getBlock();
  const at = { address: context.deployment().nodeRegistry, abi: nodeRegistryAbi, blockNumber } as const;
  const [node, isActive, direct] = await Promise.all([
    client.readContract({ ...at, functionName: "node", args: [number] }),
    client.readContract({ ...at, functionName: "isActive", args: [number] }),
    client.readContract({ ...at, functionName: "verifierOf", args: [ProofSystem.Direct] }),
  ]);
  const verifier = NOBODY.test(direct) ? null : (direct.toLowerCase() as Address);
  const standing =
    node.record === 0 || verifier === null
      ? null
      : await client
          .readContract({
            address: verifier,
            abi: dcapVerifierAbi,
            functionName: "standing",
            args: [node.record],
            blockNumber,
          })
          .then(
            (found): RecordStanding => ({
              status: nameOf(TcbStatus, found.status as TcbStatus),
              revoked: found.revoked,
              validUntil: found.validUntil,
              staleSince: found.staleSince === 0 ? null : found.staleSince,
            }),
            () => null,
          );
  const time = Number(timestamp);
  const facts = { ...node, standing };
  return {
    node: number,
    time,
    isActive,
    reason: isActive ? null : reasonOf(facts, time),
    operator: node.operator.toLowerCase() as Address,
    platformId: node.platformId,
    key: node.key.toLowerCase(),
    kind: nameOf(TeeKind, node.kind as TeeKind),
    status: nameOf(TcbStatus, node.status as TcbStatus),
    simulated: node.simulated,
    attestedAt: node.attestedAt,
    expiresAt: node.expiresAt,
    record: node.record,
    verifier,
    standing,
  };
}

interface Facts {
  readonly retired: boolean;
  readonly invalidated: boolean;
  readonly expiresAt: number;
  readonly record: number;
  readonly standing: RecordStanding | null;
}

/** The first thing that denies, in the order in which `NodeRegistry.isActive` looks. */
function reasonOf({ retired, invalidated, expiresAt, standing }: Facts, time: number): string {
  if (retired) return "retired";
  if (invalidated) return "invalidated: collateral refused its platform; renew it when that changes";
  if (expiresAt <= time) return "suspended: its proof has expired; renew it";
  if (standing === null) return "suspended: its record is of a verifier that was replaced; renew it";
  if (standing.revoked) return "suspended: its certificate is (or may be) revoked";
  if (standing.validUntil <= time) return "suspended: Intel's collateral on the chain has ended; bring newer";
  if (standing.staleSince !== null) return "suspended: its time to be judged anew is over; rejudge it";
  return `suspended: its record is ${standing.status}`;
}

/** The same for people. */
export function nodeText(node: NodeFound): string {
  const { standing } = node;
  return [
    `node         ${node.node}: ${node.isActive ? "active" : (node.reason ?? "")}`,
    `kind         ${node.kind}${node.simulated ? " (simulated)" : ""}`,
    `TCB status   ${node.status} when it was attested, ${timeText(node.attestedAt)}`,
    `expires      ${timeText(node.expiresAt)}`,
    `operator     ${node.operator}`,
    `platform id  ${node.platformId}`,
    `key          ${node.key}`,
    ...(standing
      ? [
          `record       ${node.record}: ${standing.status}${standing.revoked ? ", REVOKED" : ""}`,
          `collateral   until ${timeText(standing.validUntil)}` +
            (standing.staleSince === null
              ? ""
              : `; changed ${timeText(standing.staleSince)}: to be judged anew (charter node rejudge)`),
        ]
      : [
          `record       ${node.record === 0 ? "none: not proven directly" : `${node.record}: not known any more`}`,
        ]),
  ].join("\n");
}
