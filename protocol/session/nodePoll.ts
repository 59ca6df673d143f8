import type { Address, Hex } from "../words/hex.ts";
import { nodeRegistryDomain } from "./domains.ts";

/**
 * Header of `GET /nodes/:key/placements` by which a node's agent shows that it is the one who asks. Anyone may ask without:
 * placements are public. Whoever asks with it keeps the node heard.
 */
export const POLL_HEADER = "x-charter-poll";

/** When the agent asked (unix seconds), and the node key's signature over that. */
export interface NodePoll {
  readonly at: number;
  readonly signature: Hex;
}

const nodePollTypes = { NodePoll: [{ name: "at", type: "uint64" }] } as const;

/** What the node's key signs (EIP-712), in the domain of the NodeRegistry. */
export const nodePollTypedData = (chainId: number, nodeRegistry: Address, at: number) =>
  ({
    domain: nodeRegistryDomain(chainId, nodeRegistry),
    types: nodePollTypes,
    primaryType: "NodePoll",
    message: { at: BigInt(at) },
  }) as const;

/** The header's value. */
export const writePoll = ({ at, signature }: NodePoll): string => `${at} ${signature}`;

/** The header's value as `writePoll` wrote it; null for anything else. */
export function readPoll(value: unknown): NodePoll | null {
  if (typeof value !== "string" || value.length > 150) return null;
  const [, at, signature] = /^([1-9]\d{0,11}) (0x[0-9a-f]{130})$/.exec(value) ?? [];
  return at === undefined || signature === undefined ? null : { at: Number(at), signature: signature as Hex };
}
