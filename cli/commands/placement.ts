import type { Command } from "commander";
import { recoverTypedDataAddress } from "viem";

import type { PlacementInputs } from "../../protocol/placement/assignSlots.ts";
import { closedBy, CLOSED_SECONDS, type ClosedNode } from "../../protocol/placement/closedNode.ts";
import { drainTypedData, sayAgainWhereSuperseded } from "../../protocol/placement/drain.ts";
import { explainPlacement, type PlacementExplanation } from "../../protocol/placement/explainPlacement.ts";
import { placementReportSchema, type PlacementReport } from "../../protocol/session/messages.ts";
import { nodeReportSchema, nodeReportTypedData } from "../../protocol/session/nodeReport.ts";
import type { ChainState } from "../../protocol/state/types.ts";
import type { Address } from "../../protocol/words/hex.ts";
import { shown } from "../../protocol/manifest/plain.ts";
import { appOf, readChainState } from "../support/chainState.ts";
import { CliError } from "../support/CliError.ts";
import { contextOf, type Context } from "../support/context.ts";
import { ExitCode } from "../support/exitCodes.ts";
import { table, timeText } from "../support/output.ts";
import { refusal, relayerFetch } from "../support/publish.ts";
import { addressOption, wholeNumber } from "../support/values.ts";

/** `charter placement`, `charter drain` and `charter undrain`. */
export function addPlacementCommands(program: Command): void {
  program
    .command("placement")
    .description(
      "which node runs what of an app, and why: computed here from the contracts' events at the final block. With " +
        "--relayer, at that relayer's final block and with its inputs, and compared with its answer",
    )
    .argument("<app>", "address", addressOption)
    .option("--block <n>", "as of this block instead", wholeNumber)
    .action(async (app: Address, options: { block?: number }, command: Command) => {
      const context = contextOf(command);
      const isCompared = command.optsWithGlobals<{ relayer?: string }>().relayer !== undefined;
      if (isCompared && options.block !== undefined) {
        throw new CliError(ExitCode.Usage, "cli/usage", "expected --block or --relayer, not both");
      }
      const report = isCompared ? await askRelayer(context, app) : null;
      const number = report?.block.number ?? options.block;
      const at =
        number === undefined ? ({ blockTag: "finalized" } as const) : { blockNumber: BigInt(number) };
      const { state, block } = await readChainState(context, at);
      if (report && report.block.hash !== block.hash) {
        throw new CliError(
          ExitCode.NotVerified,
          "placement/other-chain",
          "the relayer's final block is not the node's",
          {
            expected: block.hash,
            actual: report.block.hash,
          },
        );
      }
      const inputs = report ? await checkedInputs(context, state, report) : undefined;
      const explained = explainPlacement(state, block, appOf(state, app), inputs);
      if (report) requireSame(explained, report);
      context.out.result(
        {
          block: { number: block.number, hash: block.hash, timestamp: block.timestamp },
          drained: [...(inputs?.drained ?? [])],
          silent: [...(inputs?.silent ?? [])],
          closed: (report?.closed ?? []).map(({ node, reason, since }) => ({ node, reason, since })),
          agrees: report ? true : null,
          ...explained,
        },
        placementText(explained, block.number, report),
      );
    });

  for (const [name, draining] of [
    ["drain", true],
    ["undrain", false],
  ] as const) {
    program
      .command(name)
      .description(
        draining
          ? "ask the relayer to place nothing more on a node of yours, and to hand over what runs there"
          : "let the relayer place on a node of yours again",
      )
      .argument("<node>", "number", wholeNumber)
      .action(async (node: number, _options: object, command: Command) => {
        const context = contextOf(command);
        const refused = await sayAgainWhereSuperseded(
          (at) => sendDrain(context, { node, draining, at }),
          (error) => error?.code === "drain/superseded",
        );
        if (refused !== null) throw refused;
        context.out.result(
          { node, draining },
          draining ? `node ${node} is drained` : `node ${node} is drained no longer`,
        );
      });
  }
}

/** Null, or why it was refused. */
async function sendDrain(
  context: Context,
  drain: { readonly node: number; readonly draining: boolean; readonly at: number },
): Promise<CliError | null> {
  const { chainId, nodeRegistry } = context.deployment();
  const { wallet, account } = await context.wallet();
  const signature = await wallet.signTypedData({ account, ...drainTypedData(chainId, nodeRegistry, drain) });
  const response = await relayerFetch(context, "/drains", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ ...drain, signature }),
  });
  return response.ok ? null : refusal(response);
}

async function askRelayer(context: Context, app: Address): Promise<PlacementReport> {
  const response = await relayerFetch(context, `/placements?app=${app}`);
  if (!response.ok) throw await refusal(response);
  const parsed = placementReportSchema.safeParse(await response.json().catch(() => null));
  if (parsed.success) return parsed.data;
  throw new CliError(
    ExitCode.Refused,
    "relayer/malformed-answer",
    "the relayer's answer has another shape than documented",
  );
}

/**
 * A drain counts only by its operator's own signature, and a node is closed only by its own. Silence is the relayer's word:
 * it is shown, and cannot be checked.
 */
async function checkedInputs(
  context: Context,
  state: ChainState,
  { drains, silent, closed }: PlacementReport,
): Promise<PlacementInputs> {
  const { chainId, nodeRegistry } = context.deployment();
  for (const { signature, ...drain } of drains) {
    const signer = await recoverTypedDataAddress({
      ...drainTypedData(chainId, nodeRegistry, drain),
      signature,
    }).catch(() => undefined);
    const expected = state.nodes.get(drain.node)?.operator;
    if (signer?.toLowerCase() === expected && drain.draining) continue;
    throw new CliError(
      ExitCode.NotVerified,
      "placement/drain-unsigned",
      "a drain is not its operator's word",
      {
        node: drain.node,
        expected,
        actual: signer?.toLowerCase(),
      },
    );
  }
  return {
    drained: new Set(drains.map(({ node }) => node)),
    silent: new Set(silent),
    closed: new Map(
      await Promise.all(
        closed.map(async (one) => [one.node, await closedByItself(context, state, one)] as const),
      ),
    ),
  };
}

/** Two clocks may differ by so much. */
const CLOCK_SLACK_SECONDS = 60;

/** What a node's own report of just now says of it. @throws CliError `placement/closed-unsigned`. */
async function closedByItself(
  context: Context,
  state: ChainState,
  { node, reason, report }: PlacementReport["closed"][number],
): Promise<ClosedNode> {
  const { chainId, nodeRegistry } = context.deployment();
  const { signature, ...said } = report;
  const signer = await recoverTypedDataAddress({
    ...nodeReportTypedData(chainId, nodeRegistry, said),
    signature,
  }).catch(() => undefined);
  const expected = state.nodes.get(node)?.key;
  const parsed = nodeReportSchema.safeParse(parsedJson(said.report));
  const closed = parsed.success ? closedBy(parsed.data) : null;
  const ageSeconds = Math.floor(Date.now() / 1_000) - said.at;
  const isOfNow = ageSeconds <= CLOSED_SECONDS + CLOCK_SLACK_SECONDS;
  if (signer?.toLowerCase() === expected && closed?.reason === reason && isOfNow) return closed;
  throw new CliError(
    ExitCode.NotVerified,
    "placement/closed-unsigned",
    "a node is passed over that has not said so itself",
    {
      node,
      expected: { signer: expected, reason, maxAgeSeconds: CLOSED_SECONDS },
      actual: { signer: signer?.toLowerCase(), reason: closed?.reason ?? null, ageSeconds },
    },
  );
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined; // No schema accepts it.
  }
}

function requireSame({ placements }: PlacementExplanation, report: PlacementReport): void {
  const text = (all: PlacementReport["placements"]): string =>
    JSON.stringify(
      all.map(({ app, release, composeHash, slot, node, predecessor }) => [
        app,
        release,
        composeHash,
        slot,
        node,
        predecessor && [predecessor.release, predecessor.composeHash, predecessor.until],
      ]),
    );
  if (text([...placements]) === text(report.placements)) return;
  throw new CliError(
    ExitCode.NotVerified,
    "placement/disagrees",
    "the relayer places otherwise than its rules say",
    {
      expected: placements.map(({ slot, node, release }) => ({ slot, node, release })),
      actual: report.placements.map(({ slot, node, release }) => ({ slot, node, release })),
    },
  );
}

function placementText(
  { placements, ranking, seed, seedNodes, replicas }: PlacementExplanation,
  block: bigint,
  report: PlacementReport | null,
): string {
  const reasons = { home: "drawn", spare: "free node", shared: "shares its node" } as const;
  const rows = placements.map(({ slot, node, operator, release, why, home, predecessor }) => [
    String(slot),
    String(node),
    operator,
    String(release),
    reasons[why] + (why === "home" || home === null ? "" : `: node ${home.node} is ${home.standing}`),
    predecessor === null ? "" : `release ${predecessor.release} until ${timeText(predecessor.until)}`,
  ]);
  const order = ranking.map(({ node, operator, score, standing }) => [
    String(node),
    operator,
    standing,
    score ?? "(joined after the draw)",
  ]);
  return [
    `${placements.length} of ${replicas} replicas at final block ${block}; drawn by ${seed} among ${seedNodes} nodes` +
      (report
        ? `\ndrained: ${list(report.drains.map(({ node }) => node))}; silent: ${list(report.silent)}; ` +
          `closed: ${list(report.closed.map(closedText))}; the relayer agrees`
        : ""),
    table(["slot", "node", "operator", "release", "why", "may stay"], rows),
    table(["node", "operator", "standing", "score"], order),
  ].join("\n\n");
}

const list = (items: readonly (number | string)[]): string => items.join(", ") || "none";

const closedText = ({ node, reason, since }: PlacementReport["closed"][number]): string =>
  `${node} (${shown(reason)} since ${timeText(since)})`;
