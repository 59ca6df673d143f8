import type { Bytes32 } from "../../protocol/words/hex.ts";
import type { AcceptedEvidence } from "./evidenceRows.ts";

/** Characters of evidence that are remembered: some thousand pieces, a few seconds of a busy relayer. */
const MAX_CHARACTERS = 32 * 1_048_576;

/**
 * Evidence that this process has written and whose proofs it is about to make: what it just had in its hands it need not
 * read back. A row of evidence never changes, so what is remembered is what stands there; whatever is not remembered is
 * read. Each piece is given out once, for proofs are taken once, as a rule.
 */
export class RecentEvidence {
  readonly #kept = new Map<Bytes32, AcceptedEvidence>();
  readonly #most: number;
  #characters = 0;

  constructor(most = MAX_CHARACTERS) {
    this.#most = most;
  }

  /** Call it once the row is committed, and only for a row that was new. */
  keep(accepted: AcceptedEvidence): void {
    this.take(accepted.digest);
    this.#kept.set(accepted.digest, accepted);
    this.#characters += sizeOf(accepted);
    for (const digest of this.#kept.keys()) {
      if (this.#characters <= this.#most) return;
      this.take(digest);
    }
  }

  take(digest: Bytes32): AcceptedEvidence | undefined {
    const accepted = this.#kept.get(digest);
    if (accepted === undefined) return undefined;
    this.#kept.delete(digest);
    this.#characters -= sizeOf(accepted);
    return accepted;
  }
}

const sizeOf = ({ evidence: { quote, eventLog, vmConfig, gpu = "" } }: AcceptedEvidence): number =>
  quote.length + eventLog.length + vmConfig.length + gpu.length;
