import { readFileSync } from "node:fs";

import { makeExecutableSchema } from "@graphql-tools/schema";
import { GraphQLError, GraphQLScalarType } from "graphql";
import type { GraphQLSchema } from "graphql";

import { CharterError } from "../../../protocol/errors/CharterError.ts";
import { allowedAt } from "../../../protocol/history/allowedAt.ts";
import { cidOfDigest } from "../../../protocol/manifest/cid.ts";
import { headAt, releaseAllowedAt, releasesAt } from "../../../protocol/policy/releases.ts";
import { decodeLog, type RawLog } from "../../../protocol/state/decodeLog.ts";
import { NEVER } from "../../../protocol/state/types.ts";
import type { AppState, BlockRef, InstanceState, NodeState, Release } from "../../../protocol/state/types.ts";
import { Level, nameOf, ProofSystem, TcbStatus, TeeKind } from "../../../protocol/words/enums.ts";
import type { Address, Bytes32, ComposeHash } from "../../../protocol/words/hex.ts";
import type { Projection } from "../../chain/projection.ts";
import { placements } from "../../decisions/placements.ts";
import type { GrantedLease } from "../../leases/LeaseDesk.ts";

export interface HealthReport {
  readonly status: string;
  readonly chainId: number;
  readonly ready: boolean;
  readonly headAgeSeconds: number | null;
  readonly error: string | null;
}

/** What live fields read. Functions, because each answer is of its own moment. */
export interface LiveSource {
  /** @throws chain/not-ready */
  readonly projection: () => Projection;
  readonly leases: () => readonly GrantedLease[];
  readonly health: () => HealthReport;
  /** Every log of one app, in chain order. */
  readonly logsOf: (app: Address) => Promise<readonly RawLog[]>;
}

const typeDefs = readFileSync(new URL("live.graphql", import.meta.url), "utf8");
const ZERO = `0x${"0".repeat(64)}`;

const Bytes = new GraphQLScalarType({
  name: "Bytes",
  parseValue(value) {
    if (typeof value !== "string" || !/^0x(?:[0-9a-fA-F]{2})*$/.test(value)) {
      throw new GraphQLError("Bytes are written as 0x-prefixed hex");
    }
    return value.toLowerCase();
  },
});

const Uint = new GraphQLScalarType({
  name: "Uint",
  serialize: (value) => Number(value),
  parseValue(value) {
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) {
      throw new GraphQLError("a Uint is a non-negative whole number");
    }
    return value;
  },
});

const block = ({ number, hash, timestamp }: BlockRef) => ({ number, hash, timestamp });

const release = (app: AppState, one: Release, time: number) => ({
  ...one,
  endsAt: one.endsAt === NEVER ? null : one.endsAt,
  manifestCid: cidOfDigest(one.composeHash),
  noteCid: (one.noteDigest as string) === ZERO ? null : cidOfDigest(one.noteDigest),
  allowed: releaseAllowedAt(app, one.number, time),
});

const instance = (one: InstanceState) => ({
  ...one,
  kind: nameOf(TeeKind, one.kind),
  status: nameOf(TcbStatus, one.status),
  proofSystems: Object.entries(ProofSystem)
    .filter(([, bit]) => bit !== 0 && (one.proofSystems & (1 << bit)) !== 0)
    .map(([name]) => name),
});

const node = (one: NodeState) => ({
  ...one,
  kind: nameOf(TeeKind, one.kind),
  status: nameOf(TcbStatus, one.status),
});

const byApp = <T extends { readonly app: Address }>(
  items: Iterable<T>,
  app: string | null | undefined,
): T[] => [...items].filter((item) => app === undefined || app === null || item.app === app);

const app = ({ newest }: Projection, one: AppState) => ({
  id: one.address,
  owner: one.owner,
  pendingOwner: one.pendingOwner,
  guardian: one.guardian,
  level: nameOf(Level, one.level),
  noticeFloorSeconds: one.noticeFloorSeconds,
  replicas: one.replicas,
  head: headAt(one, newest.block.timestamp)?.number ?? null,
  releases: releasesAt(one, newest.block.timestamp).map((each) => release(one, each, newest.block.timestamp)),
  instances: byApp(newest.state.instances.values(), one.address).map(instance),
});

async function answerAllowedAt(
  source: LiveSource,
  { app, composeHash, time }: { app: Address; composeHash: ComposeHash; time: number },
): Promise<object | null> {
  const { block: head, state } = source.projection().newest;
  if (time > head.timestamp) {
    throw new CharterError("api/time-ahead", "the newest block is older than this time", {
      expected: head.timestamp,
      actual: time,
    });
  }
  if (!state.apps.has(app)) return null;
  const history = (await source.logsOf(app)).flatMap((log) => decodeLog("app", log) ?? []);
  const { events, endsAt, ...answer } = allowedAt(history, app, composeHash, time);
  return {
    ...answer,
    endsAt: endsAt === NEVER ? null : endsAt,
    events: events.map((event) => ({
      name: event.name,
      block: event.blockNumber,
      blockHash: event.blockHash,
      timestamp: event.blockTimestamp,
      transaction: event.transactionHash,
      logIndex: event.logIndex,
    })),
  };
}

/**
 * The schema of live state. Resolvers read the follower's projection at once, without awaiting; `allowedAt` alone asks
 * the store.
 */
export function liveSchema(source: LiveSource): GraphQLSchema {
  const newest = () => source.projection().newest.state;
  return makeExecutableSchema({
    typeDefs,
    resolvers: {
      Bytes,
      Uint,
      Query: {
        health: () => source.health(),
        liveBlock: () => {
          const projection = source.projection();
          return { final: block(projection.final.block), newest: block(projection.newest.block) };
        },
        liveApps: () => {
          const projection = source.projection();
          const apps = [...projection.newest.state.apps.values()];
          return apps.sort((a, b) => (a.address < b.address ? -1 : 1)).map((one) => app(projection, one));
        },
        liveApp: (_root: unknown, { id }: { id: Bytes32 }) => {
          const projection = source.projection();
          const one = projection.newest.state.apps.get(id as unknown as Address);
          return one === undefined ? null : app(projection, one);
        },
        liveNodes: () => [...newest().nodes.values()].sort((a, b) => a.number - b.number).map(node),
        liveNode: (_root: unknown, { number }: { number: number }) => {
          const one = newest().nodes.get(number);
          return one === undefined ? null : node(one);
        },
        liveInstances: (_root: unknown, args: { app?: string | null }) =>
          byApp(newest().instances.values(), args.app).map(instance),
        allowedAt: (_root: unknown, args: { app: Address; composeHash: ComposeHash; time: number }) =>
          answerAllowedAt(source, args),
        livePlacements: (_root: unknown, args: { app?: string | null }) => {
          const { state, block: final } = source.projection().final;
          return byApp(placements(state, final), args.app);
        },
        liveLeases: (_root: unknown, args: { app?: string | null }) => byApp(source.leases(), args.app),
      },
    },
  });
}
