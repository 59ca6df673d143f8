import { availableParallelism } from "node:os";

import { CharterError } from "../../../protocol/errors/CharterError.ts";
import {
  EvidenceError,
  type CollateralMessage,
  type Evidence,
  type TrustedRoot,
} from "../../../protocol/evidence/index.ts";
import { busy } from "../../busy.ts";
import type { Batch, Outcome, RefusalParts, Verified } from "./batch.ts";
import { inThisThread, inThreads } from "./executors.ts";
import type { Executor } from "./executors.ts";

interface Options {
  readonly roots: readonly TrustedRoot[];
  /** Default: one per core; 0: none but the one that asks. */
  readonly threads?: number;
}

interface Job {
  readonly evidence: Evidence;
  readonly collateral: CollateralMessage;
  readonly at: number;
  readonly resolve: (verified: Verified) => void;
  readonly reject: (cause: unknown) => void;
}

/** Jobs that were taken and not answered: about a second's work of a core. The next is refused. */
const MAX_JOBS = 1_024;
/** Jobs that go to a thread at once: a message costs about as much as a tenth of a verification. */
const BATCH = 16;

/**
 * Verifies evidence beside the main thread, so that a burst of it delays no lease, or in it where none is granted. Jobs that
 * arrive in one turn of the event loop go together; collateral is parsed once per thread. What cannot be answered is refused.
 */
export class VerifierPool {
  readonly #executor: Executor;
  readonly #roots: readonly TrustedRoot[];
  readonly #shared = new WeakMap<CollateralMessage, Batch["collaterals"][number]>();
  #nextId = 0;
  #waiting: Job[] = [];
  #isScheduled = false;
  #isClosed = false;
  #open = 0;

  constructor({ roots, threads = availableParallelism() }: Options) {
    this.#roots = roots;
    this.#executor = threads === 0 ? inThisThread() : inThreads(threads);
  }

  /**
   * @throws EvidenceError, CharterError as `verifyEvidence` does; `evidence/verifier-unavailable` when a thread dies;
   * `relayer/busy` when there is too much to do already.
   */
  verify(evidence: Evidence, collateral: CollateralMessage, at: number): Promise<Verified> {
    if (this.#isClosed) return Promise.reject(unavailable("the pool is closed"));
    if (this.#open >= MAX_JOBS) return Promise.reject(busy("verifications", 2));
    this.#open++;
    return new Promise<Verified>((resolve, reject) => {
      this.#waiting.push({ evidence, collateral, at, resolve, reject });
      if (this.#isScheduled) return;
      this.#isScheduled = true;
      setImmediate(() => {
        this.#isScheduled = false;
        const jobs = this.#waiting;
        this.#waiting = [];
        for (let from = 0; from < jobs.length; from += BATCH) void this.#run(jobs.slice(from, from + BATCH));
      });
    }).finally(() => this.#open--);
  }

  /** Jobs that were taken and not answered. */
  get open(): number {
    return this.#open;
  }

  /** Ends what verifies once what it was given is answered. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#executor.close();
  }

  async #run(jobs: readonly Job[]): Promise<void> {
    const messages = [...new Set(jobs.map((job) => job.collateral))];
    try {
      const outcomes = await this.#executor.run({
        roots: this.#roots,
        collaterals: messages.map((message) => this.#sharedOf(message)),
        jobs: jobs.map(({ evidence: { kind, quote, eventLog, vmConfig }, collateral, at }) => ({
          // Whatever else came with it is no thread's business, and may be large.
          evidence: { kind, quote, eventLog, vmConfig },
          collateral: messages.indexOf(collateral),
          at,
        })),
      });
      jobs.forEach((job, i) => {
        settle(job, outcomes[i] ?? { broken: "the thread gave no answer" });
      });
    } catch (cause) {
      for (const job of jobs) job.reject(unavailable("the thread ended", cause));
    }
  }

  #sharedOf(message: CollateralMessage): Batch["collaterals"][number] {
    const known = this.#shared.get(message);
    if (known !== undefined) return known;
    const bytes = Buffer.from(JSON.stringify(message));
    const text = new SharedArrayBuffer(bytes.length);
    bytes.copy(new Uint8Array(text));
    const shared = { id: this.#nextId++, text };
    this.#shared.set(message, shared);
    return shared;
  }
}

function settle(job: Job, outcome: Outcome): void {
  if ("verified" in outcome) job.resolve(outcome.verified);
  else if ("refused" in outcome) job.reject(errorOf(outcome.refused));
  else job.reject(unavailable(outcome.broken));
}

function errorOf({ code, message, details, check, checks }: RefusalParts): CharterError {
  return check === undefined
    ? new CharterError(code, message, details)
    : new EvidenceError(check, message, details, checks);
}

const unavailable = (why: string, cause?: unknown): CharterError =>
  new CharterError(
    "evidence/verifier-unavailable",
    "the evidence could not be verified; try again",
    { why },
    { cause },
  );
