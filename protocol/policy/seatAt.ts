import { committeeAt } from "../state/committeeAt.ts";
import { instanceKey } from "../state/chainState.ts";
import type { ChainState, NodeState } from "../state/types.ts";
import { ProofSystem } from "../words/enums.ts";
import type { Address } from "../words/hex.ts";
import { requiredProofs } from "./judge.ts";
import { liveReasonAt } from "./liveReasonAt.ts";
import { Reason } from "./reason.ts";

interface SeatQuestion {
  /** Unix seconds, at or after the state's newest event. */
  readonly time: number;
  readonly chainId: number;
  /** Whose instances the state holds. */
  readonly ledger: Address;
}

const ZERO = `0x${"00".repeat(20)}`;

/**
 * The seat that `signer` speaks for at `time`, null where its signature does not count: the twin of
 * `CommitteeVerifier.seatOf`, within what events say (`liveReasonAt`). While members are keys a seat is the signer itself;
 * later it is the operator on whose node the signer is a live instance of the relayer's own app, which must require Direct, and
 * on whose platform no other operator has a node.
 */
export function seatAt(state: ChainState, signer: Address, question: SeatQuestion): Address | null {
  const { time } = question;
  const committee = committeeAt(state, time);
  if (time >= committee.expiresAt) return null;
  const seat = (committee.ledger as string) === ZERO ? signer : operatorAt(state, signer, question);
  if (seat === null || !committee.members.includes(seat)) return null;
  return state.marked.has(seat) || state.marked.has(signer) ? null : seat;
}

function operatorAt(
  state: ChainState,
  signer: Address,
  { time, chainId, ledger }: SeatQuestion,
): Address | null {
  const committee = committeeAt(state, time);
  const app = state.apps.get(committee.app);
  if (committee.ledger !== ledger || app === undefined) return null;
  if ((requiredProofs(app, time) & (1 << ProofSystem.Direct)) === 0) return null;
  const instance = state.instances.get(instanceKey(committee.app, signer));
  if (liveReasonAt(state, instance, { time, chainId }) !== Reason.Allowed) return null;
  const node = state.nodes.get(instance?.node ?? 0);
  return node === undefined || isPlatformShared(state, node) ? null : node.operator;
}

/** Whether another operator has a node on the same platform: then an instance there may be anyone's of them. */
export function isPlatformShared(
  { nodes }: Pick<ChainState, "nodes">,
  { platformId, operator }: NodeState,
): boolean {
  for (const other of nodes.values()) {
    if (other.platformId === platformId && !other.retired && other.operator !== operator) return true;
  }
  return false;
}
