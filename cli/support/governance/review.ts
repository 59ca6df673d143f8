import { CharterError } from "../../../protocol/errors/CharterError.ts";
import type { Address, Bytes32 } from "../../../protocol/words/hex.ts";
import { CliError } from "../CliError.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exitCodes.ts";
import { printable } from "../output.ts";
import type { Standing } from "../provenance/standing.ts";
import { reviewPropose } from "../reviewPropose.ts";
import type { DescribedCall } from "./describeCall.ts";
import type { Proposal } from "./proposals.ts";

/** What the bytes behind a proposed release say, against what its description says. */
export interface Review {
  readonly app: Address;
  /** The note's own title. */
  readonly title: string;
  /** Changes from the expected predecessor's manifest, computed anew from the bytes that the hashes name. */
  readonly changes: string;
  /** Who vouches for the manifest, and whether that was verified; null for a note that names nobody. */
  readonly provenance: Standing | null;
  /** Does the description tell exactly these? */
  readonly told: boolean;
}

/** A review that could not be made, and why. */
export interface NoReview {
  readonly app: Address;
  readonly error: { readonly code: string; readonly message: string };
}

/** Fetches manifest and note of every release that a proposal proposes, by hash, and compares. */
export async function reviewReleases(
  context: Context,
  { description }: Proposal,
  calls: readonly DescribedCall[],
): Promise<(Review | NoReview)[]> {
  const reviews: (Review | NoReview)[] = [];
  for (const { to: app, contract, decoded } of calls) {
    if (contract !== "app" || decoded === null) continue;
    // dstack's name for it (compat/AppAuth) proposes a hash alone: there is no note and no predecessor to compare with.
    if (decoded.functionName === "addComposeHash") {
      const message = "it proposes a compose hash without a note and without the head that it follows";
      reviews.push({ app, error: { code: "dao/not-reviewable", message } });
    }
    if (decoded.functionName !== "propose") continue;
    try {
      reviews.push(
        await reviewOf(
          context,
          description,
          app,
          decoded.args.map(({ value }) => value),
        ),
      );
    } catch (error) {
      if (!(error instanceof CharterError)) throw error;
      reviews.push({ app, error: { code: error.code, message: error.message } });
    }
  }
  return reviews;
}

async function reviewOf(
  context: Context,
  description: string,
  app: Address,
  args: readonly unknown[],
): Promise<Review> {
  const [composeHash, noteDigest, predecessor] = args as [Bytes32, Bytes32, number];
  const review = await reviewPropose(context, app, { composeHash, noteDigest, predecessor });
  const { title, changes, provenance } = review;
  return { app, title, changes, provenance, told: description.includes(`\n${printable(changes)}\n`) };
}

/** Did the review find what the description tells? */
export const isTold = (review: Review | NoReview): boolean => "told" in review && review.told;

/** Nobody should vote by such a description. */
export const descriptionMismatch = ({ id }: Proposal): CliError =>
  new CliError(
    ExitCode.Refused,
    "dao/description-mismatch",
    "the description names other calls than those that would be executed: do not vote for it by what it says",
    { proposal: id.toString() },
  );
