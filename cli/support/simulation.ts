import { appAbi } from "../../protocol/abi/app.ts";
import type { Change } from "../../protocol/policy/change.ts";
import { Reason } from "../../protocol/policy/reason.ts";
import { simulate, type NodeChange, type Stop } from "../../protocol/policy/simulate.ts";
import type { ChainState } from "../../protocol/state/types.ts";
import { nameOf } from "../../protocol/words/enums.ts";
import type { Address } from "../../protocol/words/hex.ts";
import { appOf, readChainState } from "./chainState.ts";
import type { Context } from "./context.ts";
import { table, timeText } from "./output.ts";
import { ERRORS, type Call } from "./send.ts";

/** Where a simulation begins: the state of the newest block, and the time at which the change is made. */
export interface Start {
  readonly state: ChainState;
  readonly time: number;
}

/** @param at unix seconds; a time that has passed counts as now. */
export async function startOf(context: Context, at: number | undefined): Promise<Start> {
  const { state, time } = await readChainState(context);
  return { state, time: Math.max(time, at ?? 0) };
}

/** Asks the contract whether its owner could make this call now, and gives its typed refusal if not. Sends nothing. */
export async function requireAccepted(
  context: Context,
  { state }: Start,
  address: Address,
  functionName: "tighten" | "loosen" | "revoke" | "propose",
  args: readonly unknown[],
): Promise<void> {
  const client = await context.client();
  const account = appOf(state, address).owner;
  const call: Call = { address, abi: [...appAbi, ...ERRORS], functionName, args };
  await client.simulateContract({ ...call, account });
}

/** One app's simulation, as JSON and as text. */
export interface Told {
  readonly json: Record<string, unknown>;
  readonly text: string;
}

export function told(
  context: Context,
  { state, time }: Start,
  app: Address,
  changes: readonly Change[],
): Told {
  const { chainId } = context.deployment();
  const { live, stops, ineligible, eligible } = simulate(state, app, changes, { time, chainId });
  return {
    json: {
      app,
      time,
      changes,
      live,
      stops: stops.map((stop) => ({
        key: stop.instance.key,
        release: stop.instance.release,
        node: stop.instance.node,
        stopsAt: stop.stopsAt,
        reason: nameOf(Reason, stop.reason),
        otherwiseAt: stop.otherwiseAt,
      })),
      ineligible: ineligible.map(nodeJson),
      eligible: eligible.map(nodeJson),
    },
    text: [
      `app ${app}, changed at ${timeText(time)}`,
      `${stops.length} of ${live} live instances would stop`,
      ...(stops.length === 0 ? [] : [stopsTable(stops)]),
      "nodes that would become ineligible",
      nodesTable(ineligible),
      "nodes that would become eligible",
      nodesTable(eligible),
    ].join("\n"),
  };
}

const nodeJson = ({ node, at }: NodeChange): Record<string, unknown> => ({
  node: node.number,
  platformId: node.platformId,
  operator: node.operator,
  at,
});

const stopsTable = (stops: readonly Stop[]): string =>
  table(
    ["instance", "release", "node", "stops at", "why", "without the change"],
    stops.map(({ instance, stopsAt, reason, otherwiseAt }) => [
      instance.key,
      String(instance.release),
      String(instance.node),
      timeText(stopsAt),
      nameOf(Reason, reason),
      otherwiseAt === null ? "goes on" : `stops at ${timeText(otherwiseAt)}`,
    ]),
  );

const nodesTable = (changes: readonly NodeChange[]): string =>
  table(
    ["node", "from", "operator", "platform id"],
    changes.map(({ node, at }) => [String(node.number), timeText(at), node.operator, node.platformId]),
  );
