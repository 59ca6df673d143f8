import type { ChainEvent } from "../../protocol/state/types.ts";
import type { Address } from "../../protocol/words/hex.ts";
import type { FollowerNews } from "../chain/follower.ts";

/** Which leases these events may concern. */
export type Touched = (lease: { readonly app: Address; readonly node: number }) => boolean;

/** Contracts whose events no lease rests on: proofs and collateral follow leases, they do not carry them. */
const NO_LEASE = new Set<ChainEvent["contract"]>([
  "appRegistry",
  "attestationLedger",
  "committeeVerifier",
  "dcapCollateral",
  "dcapVerifier",
]);

/**
 * Leases to decide anew: those of apps and nodes that an event names, and all of them where events were taken back or
 * what apps refer to has changed. Null when none can be concerned. What time alone ends needs no event: no lease is
 * longer than the shortest of these times.
 */
export function touchedBy({ events, rewound }: FollowerNews): Touched | null {
  if (rewound) return () => true;
  const apps = new Set<Address>();
  const nodes = new Set<number>();
  for (const { contract, address, args } of events) {
    if (NO_LEASE.has(contract)) continue;
    if (contract === "app") apps.add(address);
    else if (contract === "nodeRegistry") nodes.add(Number(args["number"] ?? -1));
    else return () => true; // Advisory sets and endorsements.
  }
  if (apps.size === 0 && nodes.size === 0) return null;
  return ({ app, node }) => apps.has(app) || nodes.has(node);
}
