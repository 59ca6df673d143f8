import { allowedAt } from "../../../protocol/history/allowedAt.ts";
import { cidOfDigest } from "../../../protocol/manifest/cid.ts";
import { releaseAllowedAt } from "../../../protocol/policy/releases.ts";
import { closedBy } from "../../../protocol/placement/closedNode.ts";
import { NEVER } from "../../../protocol/state/types.ts";
import type {
  AppState,
  BlockRef,
  ChainEvent,
  InstanceState,
  NodeState,
  Release,
} from "../../../protocol/state/types.ts";
import { nameOf, ProofSystem, TcbStatus, TeeKind } from "../../../protocol/words/enums.ts";
import type { Address, ComposeHash } from "../../../protocol/words/hex.ts";
import type { Projection } from "../../chain/projection.ts";
import type { SaidReport } from "../../decisions/NodeReports.ts";

/** How live.graphql shows the projection's values: plain copies, because the projection changes in place. */
const ZERO = `0x${"0".repeat(64)}`;

const blockView = ({ number, hash, timestamp }: BlockRef) => ({ number: Number(number), hash, timestamp });

/** The two blocks that decisions are made on. */
export const blocksView = ({ final, newest }: Projection): object => ({
  final: blockView(final.block),
  newest: blockView(newest.block),
});

/** A release as of `time`. */
export const releaseView = (app: AppState, one: Release, time: number): object => ({
  ...one,
  endsAt: one.endsAt === NEVER ? null : one.endsAt,
  manifestCid: cidOfDigest(one.composeHash),
  noteCid: (one.noteDigest as string) === ZERO ? null : cidOfDigest(one.noteDigest),
  allowed: releaseAllowedAt(app, one.number, time),
});

/** A proven instance, its numbers by name. */
export const instanceView = (one: InstanceState): object => ({
  ...one,
  evidenceBlock: Number(one.evidenceBlock),
  kind: nameOf(TeeKind, one.kind),
  status: nameOf(TcbStatus, one.status),
  proofSystems: Object.entries(ProofSystem)
    .filter(([, bit]) => bit !== 0 && (one.proofSystems & (1 << bit)) !== 0)
    .map(([name]) => name),
});

/** A node, its numbers by name; what it said is asked for when it is. */
export const nodeView = (one: NodeState, said: () => Promise<SaidReport | undefined>): object => ({
  ...one,
  kind: nameOf(TeeKind, one.kind),
  status: nameOf(TcbStatus, one.status),
  report: async () => {
    const report = await said();
    return report === undefined ? null : reportView(report);
  },
});

const reportView = (report: SaidReport): object => {
  const { capacity, apps, at, guests, tees, gpus, trouble } = report;
  return {
    ...capacity,
    ...{ reportedAt: at, guests, tees, gpus, trouble },
    slots: apps?.length ?? null,
    closed: closedBy(report)?.reason ?? null,
  };
};

/** The answer to "was this code allowed then?", with the events that decide. */
export function allowedAtView(
  history: readonly ChainEvent[],
  app: Address,
  composeHash: ComposeHash,
  time: number,
): object {
  const { events, endsAt, ...answer } = allowedAt(history, app, composeHash, time);
  return {
    ...answer,
    endsAt: endsAt === NEVER ? null : endsAt,
    events: events.map((event) => ({
      name: event.name,
      block: Number(event.blockNumber),
      blockHash: event.blockHash,
      timestamp: event.blockTimestamp,
      transaction: event.transactionHash,
      logIndex: event.logIndex,
    })),
  };
}
