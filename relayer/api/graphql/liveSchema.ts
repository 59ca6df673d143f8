import { readFileSync } from "node:fs";

import { makeExecutableSchema } from "@graphql-tools/schema";
import { GraphQLError, GraphQLScalarType } from "graphql";
import type { GraphQLSchema } from "graphql";

import { CharterError } from "../../../protocol/errors/CharterError.ts";
import { headAt, releasesAt } from "../../../protocol/policy/releases.ts";
import { decodeLog, type RawLog } from "../../../protocol/state/decodeLog.ts";
import type { AppState, NodeState } from "../../../protocol/state/types.ts";
import { Level, nameOf } from "../../../protocol/words/enums.ts";
import type { Address, ComposeHash } from "../../../protocol/words/hex.ts";
import type { Projection } from "../../chain/projection.ts";
import type { SaidReport } from "../../decisions/NodeReports.ts";
import type { Placement } from "../../../protocol/placement/placements.ts";
import type { GrantedLease } from "../../leases/LeaseDesk.ts";
import { requireNow } from "./blockHeight.ts";
import type { BlockHeight } from "./blockHeight.ts";
import type { Changes } from "./changes.ts";
import type { Asker } from "./yoga.ts";
import { allowedAtView, blocksView, instanceView, nodeView, releaseView } from "./liveViews.ts";

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
  /** Of all replicas; of all apps or of one. */
  readonly leases: (app?: Address) => readonly GrantedLease[];
  /** As of the final block. */
  readonly placements: () => readonly Placement[];
  readonly health: () => HealthReport;
  /** Every log of one app, in chain order. */
  readonly logsOf: (app: Address) => Promise<readonly RawLog[]>;
  /** What these nodes last said of themselves, by their keys. */
  readonly reports: (keys: readonly Address[]) => Promise<ReadonlyMap<Address, SaidReport>>;
  readonly changes: Changes;
}

interface Page {
  readonly first: number;
  readonly skip: number;
}
interface Newest {
  readonly last: number;
  readonly skip: number;
}
interface ByApp extends Page {
  readonly app?: Address | null;
}

/** As many at once as graph-node gives. */
const MAX_PAGE = 1_000;
const typeDefs = readFileSync(new URL("live.graphql", import.meta.url), "utf8");

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

function page<T>(items: readonly T[], { first, skip }: Page): T[] {
  if (first > MAX_PAGE) {
    throw new CharterError("api/page-too-large", "a page holds at most so many", {
      expected: MAX_PAGE,
      actual: first,
    });
  }
  return items.slice(skip, skip + first);
}

const ofApp = <T extends { readonly app: Address }>(
  items: Iterable<T>,
  app: Address | null | undefined,
): T[] => [...items].filter((item) => app === undefined || app === null || item.app === app);

/** What `App` is before anybody asks for more: who, and as of when. */
interface AppRef {
  readonly id: Address;
  readonly block: BlockHeight | null | undefined;
}

/** The ids of `ids` as the projection writes them; what is no address is no app's. */
const asAddress = (id: string): Address => id.toLowerCase() as Address;

function liveApp(source: LiveSource, { id, block }: AppRef): object | null {
  const projection = source.projection();
  const { block: now, state } = projection.newest;
  requireNow(block, now);
  const app = state.apps.get(id);
  if (app === undefined) return null;
  return {
    ...appView(app, now.timestamp),
    releases: ({ last, skip }: Newest) => {
      const all = releasesAt(app, now.timestamp);
      const end = Math.max(0, all.length - skip);
      const from = Math.max(0, end - last);
      return page(all, { first: last, skip: from })
        .slice(0, end - from)
        .map((each) => releaseView(app, each, now.timestamp));
    },
    instances: (args: Page) => page(ofApp(state.instances.values(), id), args).map(instanceView),
    placements: (args: Page) => page(ofApp(source.placements(), id), args),
    leases: (args: Page) => page(source.leases(id), args),
  };
}

const appView = (app: AppState, time: number) => ({
  owner: app.owner,
  pendingOwner: app.pendingOwner,
  guardian: app.guardian,
  level: nameOf(Level, app.level),
  noticeFloorSeconds: app.noticeFloorSeconds,
  replicas: app.replicas,
  head: headAt(app, time)?.number ?? null,
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
  return allowedAtView(history, app, composeHash, time);
}

/** Everything of an app's live state that can change, as one value. */
function appNow(
  source: LiveSource,
  id: Address,
): { readonly appChanged: AppRef | null; readonly seen: unknown } {
  const { newest } = source.projection();
  const app = newest.state.apps.get(id);
  if (app === undefined) return { appChanged: null, seen: null };
  return {
    appChanged: { id, block: null },
    seen: [
      appView(app, newest.block.timestamp),
      releasesAt(app, newest.block.timestamp).map((each) => releaseView(app, each, newest.block.timestamp)),
      ofApp(newest.state.instances.values(), id).map(instanceView),
      ofApp(source.placements(), id),
      source.leases(id).map(({ key, release }) => [key, release]),
    ],
  };
}

/** Nodes as they are shown: the first whose report is asked for asks for all of them. */
function nodeViews({ reports }: LiveSource, nodes: readonly NodeState[]): object[] {
  let asked: ReturnType<LiveSource["reports"]> | undefined;
  return nodes.map((one) =>
    nodeView(one, async () => (await (asked ??= reports(nodes.map(({ key }) => key)))).get(one.key)),
  );
}

/**
 * The schema of live state. Resolvers read the follower's projection at once, without awaiting; `allowedAt` and nodes'
 * reports alone ask the store.
 */
export function liveSchema(source: LiveSource): GraphQLSchema {
  const newest = () => source.projection().newest.state;
  const subscription = <T>(what: string, read: (args: ByApp & { readonly app: string }) => T) => ({
    subscribe: (_root: unknown, args: ByApp & { readonly app: string }, asker: Asker | undefined) => {
      const name = JSON.stringify([what, args]);
      return source.changes.stream({ name, read: () => read(args), address: asker?.address });
    },
  });
  return makeExecutableSchema({
    typeDefs,
    resolvers: {
      Bytes,
      Uint,
      App: { live: (app: AppRef) => liveApp(source, app) },
      Query: {
        health: () => source.health(),
        liveBlock: () => blocksView(source.projection()),
        app: (_root: unknown, { id, block }: { id: string; block?: BlockHeight | null }): AppRef | null =>
          newest().apps.has(asAddress(id)) ? { id: asAddress(id), block } : null,
        liveApps: (
          _root: unknown,
          args: Page & { ids?: readonly string[] | null; block?: BlockHeight | null },
        ) => {
          const wanted = args.ids && new Set(args.ids.map(asAddress));
          const apps = [...newest().apps.keys()].filter((id) => wanted?.has(id) ?? true).sort();
          return page(apps, args).map((id): AppRef => ({ id, block: args.block }));
        },
        liveNodes: (_root: unknown, args: Page) =>
          nodeViews(
            source,
            page(
              [...newest().nodes.values()].sort((a, b) => a.number - b.number),
              args,
            ),
          ),
        liveNode: (_root: unknown, { number }: { number: number }) => {
          const one = newest().nodes.get(number);
          return one === undefined ? null : nodeViews(source, [one])[0];
        },
        liveInstances: (_root: unknown, args: ByApp) =>
          page(ofApp(newest().instances.values(), args.app), args).map(instanceView),
        allowedAt: (_root: unknown, args: { app: Address; composeHash: ComposeHash; time: number }) =>
          answerAllowedAt(source, args),
        livePlacements: (_root: unknown, args: ByApp) => page(ofApp(source.placements(), args.app), args),
        liveLeases: (_root: unknown, args: ByApp) => page(source.leases(args.app ?? undefined), args),
      },
      Subscription: {
        head: subscription("head", () => ({ head: blocksView(source.projection()) })),
        appChanged: subscription("appChanged", ({ app }) => appNow(source, asAddress(app))),
        leases: subscription("leases", ({ app, ...args }) => ({
          leases: page(source.leases(asAddress(app)), args),
        })),
      },
    },
  });
}
