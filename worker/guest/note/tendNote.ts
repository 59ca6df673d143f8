import type { Clock } from "../../clock.ts";
import type { NoteStanding } from "./NoteStanding.ts";

export interface TendNoteSeams {
  readonly read: (signal: AbortSignal) => Promise<NoteStanding>;
  /** How many are asked by which digest it goes. */
  readonly relayers: number;
  readonly clock: Clock;
  readonly tell: (standing: NoteStanding) => void;
}

/** A note may be published, or a relayer come back, after the guest began. */
const PAUSE_MS = 10 * 60_000;

/**
 * Beside everything else: no app waits for its note. Asks until all relayers agree that it is this one, or that there is none,
 * and tells what is new: one that lied while the others were away is outvoted when they are back.
 */
export async function tendNote(
  { read, relayers, clock, tell }: TendNoteSeams,
  ended: AbortSignal,
): Promise<void> {
  let told = "";
  for (;;) {
    const standing = await read(ended);
    if (ended.aborted) return;
    const text = JSON.stringify(standing);
    if (text !== told) tell(standing);
    told = text;
    const { note } = standing;
    if ((note === "good" || note === "none") && standing.toldBy.length === relayers) return;
    await clock.sleep(PAUSE_MS, ended);
    if (ended.aborted) return;
  }
}
