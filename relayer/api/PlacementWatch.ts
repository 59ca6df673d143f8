import type { Placements } from "../../protocol/session/messages.ts";
import { placementsDigest } from "../../protocol/session/placementsDigest.ts";
import type { Address, Bytes32 } from "../../protocol/words/hex.ts";

interface Waiting {
  readonly key: Address;
  readonly unlike: Bytes32;
  readonly answer: (placements: Placements) => void;
  readonly fail: (cause: unknown) => void;
}

/** What a node should run now, or why that cannot be said. */
type Read = { readonly now: Placements; readonly digest: Bytes32 } | { readonly cause: unknown };

interface Options {
  /** What the node with this key should run now. @throws CharterError `node/unknown`, `chain/not-ready` */
  readonly placementsOf: (key: Address) => Placements;
  /** A node is answered after so long, changed or not. */
  readonly holdSeconds?: number;
  /** Nodes that wait at once; a further one is answered at once. */
  readonly maxWaiting?: number;
}

/** Nodes that wait for their placements to become others than they know. */
export class PlacementWatch {
  readonly #placementsOf: Options["placementsOf"];
  readonly #holdMs: number;
  readonly #maxWaiting: number;
  readonly #waiting = new Set<Waiting>();

  constructor({ placementsOf, holdSeconds = 12, maxWaiting = 4_096 }: Options) {
    this.#placementsOf = placementsOf;
    this.#holdMs = holdSeconds * 1_000;
    this.#maxWaiting = maxWaiting;
  }

  /** The placements of this node as soon as they are unlike those with this digest, or what they are after a while. */
  async next(key: Address, unlike: Bytes32, gone: AbortSignal): Promise<Placements> {
    const now = this.#placementsOf(key);
    if (placementsDigest(now.placements) !== unlike || this.#waiting.size >= this.#maxWaiting) return now;
    let waiting: Waiting | undefined;
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<Placements>((answer, fail) => {
        waiting = { key, unlike, answer, fail };
        this.#waiting.add(waiting);
        const give = (): void => this.#give(waiting as Waiting);
        timer = setTimeout(give, this.#holdMs);
        gone.addEventListener("abort", give, { once: true });
      });
    } finally {
      clearTimeout(timer);
      if (waiting !== undefined) this.#waiting.delete(waiting);
    }
  }

  /** Something changed on chain: answers those whom it concerns. */
  changed(): void {
    const known = new Map<Address, Read>();
    for (const waiting of this.#waiting) {
      const read = known.get(waiting.key) ?? this.#read(waiting.key);
      known.set(waiting.key, read);
      if ("cause" in read) waiting.fail(read.cause);
      else if (read.digest !== waiting.unlike) waiting.answer(read.now);
    }
  }

  /** Answers all, as when the listener closes. */
  release(): void {
    for (const waiting of this.#waiting) this.#give(waiting);
  }

  #give({ key, answer, fail }: Waiting): void {
    const read = this.#read(key);
    if ("cause" in read) fail(read.cause);
    else answer(read.now);
  }

  #read(key: Address): Read {
    try {
      const now = this.#placementsOf(key);
      return { now, digest: placementsDigest(now.placements) };
    } catch (cause) {
      return { cause };
    }
  }
}
