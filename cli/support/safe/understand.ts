import { shown } from "../../../protocol/manifest/index.ts";
import type { Bytes32 } from "../../../protocol/words/hex.ts";
import { CliError } from "../CliError.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exitCodes.ts";
import { describeCall, type DescribedCall } from "../governance/describeCall.ts";
import { standingText } from "../provenance/standing.ts";
import { reviewPropose, type ProposeReview } from "../reviewPropose.ts";
import type { SafeTransaction } from "./safeTransaction.ts";

/** What a Safe's transaction would do, for those who sign it. */
export interface Understood {
  readonly call: DescribedCall;
  /** Of a release that it proposes, from the bytes that its hashes name; null for any other call. */
  readonly review: ProposeReview | null;
  readonly text: string;
}

/**
 * Puts a transaction in words.
 * @throws CliError what `reviewPropose` throws, where calldata, note and manifest disagree or cannot be had.
 */
export async function understand(context: Context, { to, data }: SafeTransaction): Promise<Understood> {
  const call = await describeCall(context, { to, value: 0n, data });
  const review = await reviewOf(context, call);
  const text =
    review === null
      ? call.text
      : [call.text, `note ${shown(review.title)}`, standingText(review.provenance), review.changes].join(
          "\n",
        );
  return { call, review, text };
}

async function reviewOf(
  context: Context,
  { to, contract, decoded }: DescribedCall,
): Promise<ProposeReview | null> {
  if (contract !== "app" || decoded?.functionName !== "propose") return null;
  const [composeHash, noteDigest, predecessor] = decoded.args.map(({ value }) => value);
  return reviewPropose(context, to, {
    composeHash: composeHash as Bytes32,
    noteDigest: noteDigest as Bytes32,
    predecessor: predecessor as number,
  });
}

/**
 * Nobody signs what could not be put in words, nor code by its hash alone.
 * @throws CliError `safe/not-understood`.
 */
export function requireUnderstood({ call }: Understood): void {
  if (call.decoded !== null && call.decoded.functionName !== "addComposeHash") return;
  throw new CliError(
    ExitCode.Refused,
    "safe/not-understood",
    "expected a call of one of this deployment's contracts, and with a note where it proposes code",
    { to: call.to, data: call.data },
  );
}
