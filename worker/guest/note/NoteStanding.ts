import type { Bytes32 } from "../../../protocol/words/hex.ts";

/** Who was asked in vain, and by which code they failed. */
export interface Tried {
  readonly source: string;
  readonly code: string;
}

/** By which digest, and by whose word it is this release's: relayers only tell, and nobody here asks the chain. */
interface Told {
  readonly digest: Bytes32;
  readonly toldBy: readonly string[];
  /** Relayers that name another digest. */
  readonly toldOtherwise: readonly string[];
}

/** What is known of a release's note. It explains the release to people; what may run never depends on it. */
export type NoteStanding =
  /** Nobody was asked yet. */
  | { readonly note: "awaited" }
  /** The release has none: its digest is zero. */
  | ({ readonly note: "none" } & Omit<Told, "digest">)
  /** These bytes have that digest, and contradict nothing of the measured manifest. `title` is safe to print. */
  | ({ readonly note: "good"; readonly title: string } & Told)
  /** No source has its bytes, or (`digest` null) no relayer tells its digest. */
  | {
      readonly note: "missing";
      readonly digest: Bytes32 | null;
      readonly tried: readonly Tried[];
    }
  /** These bytes have that digest, and are no note, or tell of another manifest than the measured one. */
  | ({ readonly note: "contradicts"; readonly code: string; readonly why: readonly string[] } & Told);
