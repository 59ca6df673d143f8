import type { Clock } from "../../clock.ts";
import type { NoteStanding } from "./NoteStanding.ts";

export interface TendNoteSeams {
  readonly read: (signal: AbortSignal) => Promise<NoteStanding>;
  readonly clock: Clock;
  readonly tell: (standing: NoteStanding) => void;
}

/** A note may be published, or a relayer come back, after the guest began. */
const PAUSE_MS = 10 * 60_000;

/** Beside everything else: no app waits for its note. Asks until there is one, or none to have; tells what is new. */
export async function tendNote({ read, clock, tell }: TendNoteSeams, ended: AbortSignal): Promise<void> {
  let told = "";
  for (;;) {
    const standing = await read(ended);
    if (ended.aborted) return;
    const text = JSON.stringify(standing);
    if (text !== told) tell(standing);
    told = text;
    if (standing.note === "good" || standing.note === "none") return;
    await clock.sleep(PAUSE_MS, ended);
    if (ended.aborted) return;
  }
}
