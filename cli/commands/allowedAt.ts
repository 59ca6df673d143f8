import { InvalidArgumentError, type Command } from "commander";
import { z } from "zod";

import { allowedAt, type AllowedAt } from "../../protocol/history/allowedAt.ts";
import { proveLog, provenLog, type LogProof, type RpcReceipt } from "../../protocol/proof/receipt.ts";
import { decodeLog } from "../../protocol/state/decodeLog.ts";
import { NEVER, type ChainEvent } from "../../protocol/state/types.ts";
import type { Address, Bytes32, ComposeHash, Hex } from "../../protocol/words/hex.ts";
import { readAppEvents } from "../support/chainState.ts";
import { CliError } from "../support/CliError.ts";
import { contextOf, readText, type Context } from "../support/context.ts";
import { ExitCode } from "../support/exitCodes.ts";
import { timeText } from "../support/output.ts";
import { addressOption, bytes32Option } from "../support/values.ts";

const hex = z.string().regex(/^0x([0-9a-f]{2})*$/);
/** What `--proof` writes and `--check` reads. */
const fileSchema = z.strictObject({
  app: z.string().regex(/^0x[0-9a-f]{40}$/),
  composeHash: z.string().regex(/^0x[0-9a-f]{64}$/),
  time: z.number().int().nonnegative(),
  allowed: z.boolean(),
  proofs: z
    .array(
      z.strictObject({
        header: hex,
        transactionIndex: z.number().int().nonnegative(),
        receipt: z.array(hex).max(64),
        logPosition: z.number().int().nonnegative(),
      }),
    )
    .max(10_000),
});

/** `charter allowed-at` and `charter allowed-check`. */
export function addAllowedAtCommands(program: Command): void {
  program
    .command("allowed-at")
    .description(
      "was this code allowed by this app at that time? Answered from events, with those that decide",
    )
    .argument("<app>", "address", addressOption)
    .argument("<composeHash>", "compose hash", bytes32Option)
    .argument("<time>", "unix seconds, or a date such as 2026-11-23T12:00:00Z", timeOption)
    .option("--proof", "add the receipt proof of every event, so that others need not believe this node")
    .action(
      async (app: Address, hash: Bytes32, time: number, options: { proof?: boolean }, command: Command) => {
        const context = contextOf(command);
        const history = await readAppEvents(context, app);
        const answer = allowedAt(history, app, hash as string as ComposeHash, time);
        const proofs = options.proof === true ? await proofsOf(context, history, time) : undefined;
        context.out.result(
          {
            ...answer,
            endsAt: answer.endsAt === NEVER ? null : answer.endsAt,
            events: answer.events.map(placed),
            ...(proofs && { proofs }),
          },
          answerText(answer),
        );
      },
    );
  program
    .command("allowed-check")
    .description("check an answer of `allowed-at --proof` offline")
    .argument("<file>", "what `charter --json allowed-at … --proof` printed")
    .action((file: string, _options: object, command: Command) => {
      const { answer, blocks } = checkFile(readText(file));
      contextOf(command).out.result(
        {
          ...answer,
          endsAt: answer.endsAt === NEVER ? null : answer.endsAt,
          events: answer.events.map(placed),
          blocks,
        },
        `${answerText(answer)}\n\nThe events are in these blocks: compare their hashes with any node that you trust.\n${blocks
          .map(({ number, hash }) => `  ${number} ${hash}`)
          .join(
            "\n",
          )}\nProofs show that events happened, not that no other did: ask a node of yours for a later revoke.`,
      );
    });
}

function timeOption(text: string): number {
  const time = /^\d{1,12}$/.test(text) ? Number(text) : Date.parse(text) / 1000;
  if (!Number.isInteger(time))
    throw new InvalidArgumentError("expected unix seconds or a date with time and zone");
  return time;
}

/** An event by where it stands, which is what others look up. */
const placed = ({ name, blockNumber, blockHash, blockTimestamp, transactionHash, logIndex }: ChainEvent) => ({
  name,
  blockNumber,
  blockHash,
  blockTimestamp,
  transactionHash,
  logIndex,
});

/** Every event of the app up to that time is shown: the answer must follow from what is shown alone. */
async function proofsOf(context: Context, history: readonly ChainEvent[], time: number): Promise<LogProof[]> {
  const client = await context.client();
  const proofs: LogProof[] = [];
  const known = new Map<
    bigint,
    { block: Readonly<Record<string, unknown>>; receipts: readonly RpcReceipt[] }
  >();
  for (const event of history.filter((one) => one.blockTimestamp <= time)) {
    const number: Hex = `0x${event.blockNumber.toString(16)}`;
    let held = known.get(event.blockNumber);
    if (!held) {
      const ask = client.request as (request: { method: string; params: unknown[] }) => Promise<unknown>;
      const block = await ask({ method: "eth_getBlockByNumber", params: [number, false] });
      const receipts = await ask({ method: "eth_getBlockReceipts", params: [number] });
      held = {
        block: block as Readonly<Record<string, unknown>>,
        receipts: receipts as readonly RpcReceipt[],
      };
      known.set(event.blockNumber, held);
    }
    proofs.push(proveLog(held.block, held.receipts, event.logIndex));
  }
  return proofs;
}

/** The answer that follows from the file's proofs alone; it must be the one that the file gives. */
function checkFile(text: string): { answer: AllowedAt; blocks: { number: bigint; hash: Bytes32 }[] } {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new CliError(
      ExitCode.Usage,
      "cli/usage",
      "expected JSON that `charter --json allowed-at … --proof` printed",
    );
  }
  const parsed = fileSchema.safeParse(pick(json));
  if (!parsed.success) {
    const issues = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
    throw new CliError(ExitCode.Usage, "cli/usage", "expected an answer with proofs", { issues });
  }
  const { app, composeHash, time, allowed, proofs } = parsed.data;
  const blocks = new Map<Bytes32, bigint>();
  let isOrdered = true;
  let previous: readonly bigint[] = [];
  const history = proofs.flatMap((proof, index): ChainEvent[] => {
    const log = provenLog(proof as LogProof);
    if (log.address !== app) {
      throw new CliError(
        ExitCode.NotVerified,
        "proof/other-contract",
        "a proof is of another contract's event",
        {
          expected: app,
          actual: log.address,
        },
      );
    }
    blocks.set(log.blockHash, log.blockNumber);
    const place = [log.blockNumber, BigInt(proof.transactionIndex), BigInt(proof.logPosition)];
    isOrdered &&= isBefore(previous, place);
    previous = place;
    const event = decodeLog("app", { ...log, transactionHash: "0x", logIndex: index });
    return event ? [event] : [];
  });
  if (!isOrdered) {
    throw new CliError(
      ExitCode.NotVerified,
      "proof/disordered",
      "events must be in the order in which they happened",
    );
  }
  const answer = allowedAt(history, app as Address, composeHash as ComposeHash, time);
  if (answer.allowed !== allowed) {
    throw new CliError(
      ExitCode.NotVerified,
      "proof/other-answer",
      "the events say something else than the file",
      {
        expected: answer.allowed,
        actual: allowed,
      },
    );
  }
  return { answer, blocks: [...blocks].map(([hash, number]) => ({ number, hash })) };
}

/** Strictly: no event may be told twice. */
function isBefore(a: readonly bigint[], b: readonly bigint[]): boolean {
  const at = b.findIndex((value, index) => value !== a[index]);
  return at >= 0 && (a[at] ?? -1n) < (b[at] as bigint);
}

const pick = (json: unknown): unknown => {
  if (typeof json !== "object" || json === null) return json;
  const { app, composeHash, time, allowed, proofs } = json as Record<string, unknown>;
  return { app, composeHash, time, allowed, proofs };
};

function answerText(answer: AllowedAt): string {
  const { allowed, reason, release, activatesAt, endsAt, time, events } = answer;
  return [
    `${allowed ? "allowed" : `not allowed (${reason})`} at ${timeText(time)}`,
    ...(release === null
      ? []
      : [`release ${release}: from ${timeText(activatesAt ?? 0)} until ${timeText(endsAt ?? NEVER)}`]),
    ...events.map(
      (event) =>
        `  ${event.name} in block ${event.blockNumber} (${timeText(event.blockTimestamp)}), log ${event.logIndex}`,
    ),
  ].join("\n");
}
