import type { Crypto } from "../../crypto/crypto.ts";
import { concatBytes, equalBytes, isZero } from "../../words/bytes.ts";
import { toHex } from "../../words/hex.ts";
import { ByteReader } from "../ByteReader.ts";
import { EvidenceError } from "../EvidenceError.ts";
import { isSelfDescribed, MAX_EVENT_LOG_BYTES, MAX_EVENTS } from "./events.ts";

/** One entry of a boot log (TCG_PCR_EVENT2). */
export interface CcelEvent {
  /** RTMR that it extended; null where it extended none, so that nothing it says is proved. */
  readonly register: 0 | 1 | 2 | 3 | null;
  /**
   * TCG PC Client Platform Firmware Profile §10.4.1, e.g. 4 for EV_SEPARATOR. As logged: registers speak for digests
   * and their order, so a host may call an event by another type.
   */
  readonly type: number;
  /** SHA-384, as logged. */
  readonly digest: Uint8Array;
  /** As logged. The registers prove it only where `isSelfDescribed(type)`; elsewhere the digest alone counts. */
  readonly data: Uint8Array;
}

const EV_NO_ACTION = 3;
const SHA384 = 0x000c;
const SHA384_BYTES = 48;
const SPEC_ID = new TextEncoder().encode("Spec ID Event03\0");
/** Measurement registers of a TD (UEFI §38.4.1): MRTD, then RTMR0 to RTMR3. */
const LAST_INDEX = 4;
/** The rest of the log area, as firmware clears it: OVMF writes ones, td-shim zeros. */
const FILLERS: readonly number[] = [0xff, 0x00];
/** Our limit: the format has none but its field of 32 bits. */
export const MAX_EVENT_DATA_BYTES = 65_536;
/** Bytes that tell an event from filler: an index and a type. */
const STOP_BYTES = 8;

/**
 * Parses the boot log that a TD's firmware leaves at the ACPI table CCEL (UEFI §38.2.2, format TCG_2): a header with a
 * Spec ID event, events with SHA-384 digests only, then nothing but filler. At most 1 MiB, 10,000 events,
 * and 64 KiB of data in each.
 *
 * A log by itself proves nothing. What it says counts once `replayCcel` gives the registers of a verified quote.
 * @throws EvidenceError `evidence/event-log-format`.
 */
export function parseCcel(bytes: Uint8Array): CcelEvent[] {
  if (bytes.length > MAX_EVENT_LOG_BYTES) throw malformed(`at most ${MAX_EVENT_LOG_BYTES} bytes`);
  return reading(() => {
    const reader = new ByteReader(bytes);
    readHeader(reader);
    const events: CcelEvent[] = [];
    while (!isFiller(bytes.subarray(reader.offset))) {
      if (events.length === MAX_EVENTS) throw malformed(`at most ${MAX_EVENTS} events`);
      events.push(readEvent(reader));
    }
    return events;
  });
}

/**
 * Replays a boot log into RTMR0-3, from zero. Where an event's digest is that of its data, the data must give it; other
 * events measure what the log does not carry, and enter by their digest. Software may have extended registers (RTMR3
 * above all) after the log ended: compare those that only firmware and its loader extend.
 * @throws EvidenceError `evidence/event-log-format` where data and digest disagree.
 */
export async function replayCcel(events: readonly CcelEvent[], crypto: Crypto): Promise<Uint8Array[]> {
  const rtmrs = [0, 1, 2, 3].map(() => new Uint8Array(SHA384_BYTES));
  for (const { register, type, digest, data } of events) {
    if (register === null) continue;
    if (isSelfDescribed(type) && !equalBytes(digest, await crypto.digest("SHA-384", data))) {
      throw malformed(`an event of type ${type} to have its data's digest`, { register, type });
    }
    rtmrs[register] = Uint8Array.from(
      await crypto.digest("SHA-384", concatBytes(rtmrs[register] as Uint8Array, digest)),
    );
  }
  return rtmrs;
}

/** TCG_PCClientPCREvent around a TCG_EfiSpecIDEvent (Platform Firmware Profile §10.4.5.1). */
function readHeader(reader: ByteReader): void {
  readIndex(reader);
  const type = reader.u32("the header's type");
  if (type !== EV_NO_ACTION) throw malformed("EV_NO_ACTION as header", { actual: type });
  // SHA-1, of nothing.
  if (!isZero(reader.take(20, "the header's digest"))) throw malformed("a header without digest");
  const event = new ByteReader(reader.take(reader.u32("the header's size"), "the Spec ID event"));
  const signature = event.take(SPEC_ID.length, "the signature");
  if (!equalBytes(signature, SPEC_ID)) throw malformed("Spec ID Event03", { actual: toHex(signature) });
  const platformClass = event.u32("the platform class");
  const [minor, major, , uintnSize] = event.take(4, "versions");
  if (platformClass > 1 || major !== 2 || minor !== 0 || (uintnSize !== 1 && uintnSize !== 2)) {
    throw malformed("a client or server of version 2.0", { platformClass, major, minor, uintnSize });
  }
  const count = event.u32("the number of algorithms");
  const algorithm = event.u16("the algorithm");
  const size = event.u16("its digest's size");
  if (count !== 1 || algorithm !== SHA384 || size !== SHA384_BYTES) {
    throw malformed("SHA-384 as the only algorithm", { count, algorithm, size });
  }
  const [vendorBytes = 0] = event.take(1, "the size of vendor information");
  event.take(vendorBytes, "vendor information");
  event.end("vendor information");
}

function readEvent(reader: ByteReader): CcelEvent {
  const index = readIndex(reader);
  const type = reader.u32("an event's type");
  const count = reader.u32("the number of digests");
  if (count !== 1) throw malformed("one digest for each event", { actual: count });
  const algorithm = reader.u16("the digest's algorithm");
  if (algorithm !== SHA384) throw malformed("digests of SHA-384", { actual: algorithm });
  const digest = reader.take(SHA384_BYTES, "a digest");
  const size = reader.u32("the size of an event's data");
  if (size > MAX_EVENT_DATA_BYTES) {
    throw malformed(`at most ${MAX_EVENT_DATA_BYTES} bytes of data`, { actual: size });
  }
  const data = reader.take(size, "an event's data");
  // What is in MRTD was measured by the TDX module and needs no log; EV_NO_ACTION extends nothing by definition.
  const extendsNone = index === 0 || type === EV_NO_ACTION;
  return { register: extendsNone ? null : ((index - 1) as 0 | 1 | 2 | 3), type, digest, data };
}

function readIndex(reader: ByteReader): number {
  const index = reader.u32("a register's index");
  if (index > LAST_INDEX) throw malformed(`a register of at most ${LAST_INDEX}`, { actual: index });
  return index;
}

/** True at the log's end: no byte is left, or filler only. Filler with anything in it is not taken for the end. */
function isFiller(rest: Uint8Array): boolean {
  const filler = FILLERS.find((value) => rest.subarray(0, STOP_BYTES).every((byte) => byte === value));
  if (filler === undefined) return false;
  if (rest.every((byte) => byte === filler)) return true;
  throw malformed("nothing but filler after the last event");
}

/** Names a lack of bytes by this format's check. */
function reading<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof EvidenceError) || error.check === "event-log-format") throw error;
    throw new EvidenceError("event-log-format", `expected a boot log: ${error.message}`, error.details);
  }
}

const malformed = (expected: string, detail: Record<string, unknown> = {}): EvidenceError =>
  new EvidenceError("event-log-format", `expected a boot log: ${expected}`, detail);
