import type { Crypto } from "../../crypto/crypto.ts";
import { hexBytes, toHex, type Hex } from "../../words/hex.ts";
import { concatBytes, equalBytes } from "../../words/bytes.ts";
import { parseStrictJson } from "../../words/strictJson.ts";
import { EvidenceError } from "../EvidenceError.ts";
import { isSelfDescribed, MAX_EVENT_LOG_BYTES, MAX_EVENTS } from "./events.ts";

/** Event type of dstack's runtime events (RTMR3). */
export const RUNTIME_EVENT = 0x0800_0001;

export interface LoggedEvent {
  /** RTMR index. */
  readonly imr: 0 | 1 | 2 | 3;
  readonly type: number;
  readonly name: string;
  readonly payload: Uint8Array;
  /** Which digest a runtime event has: `runtimeEventDigest`. */
  readonly version: 1 | 2;
  /** As logged: used only for firmware events that hash data which the log does not carry. */
  readonly loggedDigest: Uint8Array;
}

const RTMR_BYTES = 48;
const UTF8 = new TextEncoder();
const RUNTIME_TYPE = Uint8Array.of(0x01, 0x00, 0x00, 0x08);

/** Parses dstack's event log (a JSON array). @throws EvidenceError `evidence/event-log-format`. */
export function parseEventLog(text: string): LoggedEvent[] {
  if (text.length > MAX_EVENT_LOG_BYTES) throw malformed(`at most ${MAX_EVENT_LOG_BYTES} characters`);
  let json: unknown;
  try {
    json = parseStrictJson(text, "event log");
  } catch (error) {
    throw malformed(error instanceof Error ? error.message : "JSON");
  }
  if (!Array.isArray(json) || json.length > MAX_EVENTS) throw malformed(`at most ${MAX_EVENTS} events`);
  return json.map(readEvent);
}

/** `preimage`: the bytes under a V2 digest, for readers who do not build them; we do, so it is checked and not used. */
const FIELDS = new Set(["imr", "event_type", "digest", "event", "event_payload", "version", "preimage"]);
const MAX_NAME = 1_024;

/** One event, strictly. A schema library takes ten times as long, for every event of every quote. */
function readEvent(value: unknown, index: number): LoggedEvent {
  const refuse = (name: string, expected: string): EvidenceError =>
    malformed(`${index}.${name}: ${expected}`);
  if (typeof value !== "object" || value === null) throw malformed(`${index}: an object`);
  const event = value as Record<string, unknown>;
  for (const name of Object.keys(event)) if (!FIELDS.has(name)) throw refuse(name, "unknown");
  const { imr, event_type: type, event: name, version = 1 } = event;
  if (imr !== 0 && imr !== 1 && imr !== 2 && imr !== 3) throw refuse("imr", "0 to 3");
  if (typeof type !== "number" || type >>> 0 !== type) throw refuse("event_type", "32 bits");
  if (typeof name !== "string" || name.length > MAX_NAME || !name.isWellFormed()) {
    throw refuse("event", "well-formed Unicode");
  }
  if (version !== 1 && version !== 2) throw refuse("version", "1 or 2");
  const bytes = (field: string, fallback?: string): Uint8Array => {
    const { [field]: hex = fallback } = event;
    const read = typeof hex === "string" ? hexBytes(hex) : null;
    if (read === null) throw refuse(field, "hex");
    return read;
  };
  bytes("preimage", "");
  return {
    imr,
    type,
    name,
    payload: bytes("event_payload"),
    version,
    // dstack 0.6 leaves it empty where it can be recomputed.
    loggedDigest: bytes("digest", ""),
  };
}

const malformed = (expected: string): EvidenceError =>
  new EvidenceError("event-log-format", `expected an event log: ${expected}`);

/**
 * Digest of a runtime event. V1: SHA-384(LE32(type) ":" name ":" payload). V2: SHA-384 of the canonical JSON
 * (RFC 8785) of name, payload in hex and type.
 */
export function runtimeEventDigest(
  { name, payload, version }: Pick<LoggedEvent, "name" | "payload" | "version">,
  crypto: Crypto,
): Promise<Uint8Array> {
  if (version === 2) {
    // Three ASCII keys in their canonical order; JSON.stringify writes strings as RFC 8785 §3.2.2.2 wants them.
    const canonical = JSON.stringify({ name, payload: toHex(payload).slice(2), type: RUNTIME_EVENT });
    return crypto.digest("SHA-384", UTF8.encode(canonical));
  }
  return crypto.digest("SHA-384", concatBytes(RUNTIME_TYPE, UTF8.encode(`:${name}:`), payload));
}

/**
 * Replays the log into RTMR0-3. A digest that can be recomputed is: runtime events (RTMR3) from name and payload,
 * self-describing firmware events from their data. What was logged as their digest is never believed. Other firmware
 * events measure data that the log does not carry (kernel, ACPI tables) and enter by their logged digest; nothing here
 * trusts those events' payloads. @throws EvidenceError `evidence/event-log-format` for any other event in RTMR3.
 */
export async function replayRtmrs(events: readonly LoggedEvent[], crypto: Crypto): Promise<Uint8Array[]> {
  // Each register with room behind it for the digest that extends it.
  const registers = [0, 1, 2, 3].map(() => new Uint8Array(2 * RTMR_BYTES));
  for (const event of events) {
    const register = registers[event.imr] as Uint8Array;
    register.set(await digestOf(event, crypto), RTMR_BYTES);
    register.set(await crypto.digest("SHA-384", register));
  }
  return registers.map((register) => register.slice(0, RTMR_BYTES));
}

async function digestOf(event: LoggedEvent, crypto: Crypto): Promise<Uint8Array> {
  if (event.imr === 3) {
    if (event.type !== RUNTIME_EVENT) throw malformed("only runtime events in RTMR3");
    return runtimeEventDigest(event, crypto);
  }
  // dstack may strip the data of firmware events to save room.
  if (isSelfDescribed(event.type) && event.payload.length > 0) return crypto.digest("SHA-384", event.payload);
  if (event.loggedDigest.length !== 48) throw malformed("SHA-384 digests of firmware events");
  return event.loggedDigest;
}

/** What the guest's boot says of itself, from events before `system-ready` only. */
export interface BootFacts {
  readonly appId: Hex;
  readonly composeHash: Hex;
  readonly instanceId: Hex;
  readonly keyProvider: Uint8Array;
  /** Measured by newer guests only. */
  readonly osImageHash: Hex | null;
}

/**
 * Reads the trusted runtime events. After `system-ready` the app itself may extend RTMR3 with any name, so nothing
 * behind it counts; before it, each name may stand once. @throws EvidenceError `evidence/event-log-facts`.
 */
export function bootFacts(events: readonly LoggedEvent[]): BootFacts {
  const facts = new Map<string, Uint8Array>();
  let isReady = false;
  for (const event of events.filter(({ imr }) => imr === 3)) {
    if (event.name === "system-ready") {
      isReady = true;
      break;
    }
    if (facts.has(event.name)) {
      throw new EvidenceError("event-log-facts", "expected each boot event once", { name: event.name });
    }
    // The V1 digest does not separate name from payload: "a" with ":b" and "a:" with "b" hash alike.
    if (event.name.includes(":")) {
      throw new EvidenceError("event-log-facts", "expected boot events without a colon in their name", {
        name: event.name,
      });
    }
    facts.set(event.name, event.payload);
  }
  if (!isReady) throw new EvidenceError("event-log-facts", "expected the event system-ready");
  const required = (name: string, ...lengths: readonly number[]): Uint8Array => {
    const payload = facts.get(name);
    if (!payload || (lengths.length > 0 && !lengths.includes(payload.length))) {
      throw new EvidenceError("event-log-facts", `expected the event ${name} before system-ready`, {
        name,
        expected: lengths,
        actual: payload?.length,
      });
    }
    return payload;
  };
  return {
    appId: toHex(required("app-id", 20)),
    composeHash: toHex(required("compose-hash", 32)),
    // Empty where the manifest says `no_instance_id`.
    instanceId: toHex(required("instance-id", 0, 20)),
    keyProvider: required("key-provider"),
    osImageHash: facts.has("os-image-hash") ? toHex(required("os-image-hash", 32)) : null,
  };
}

/** True when the replayed values are the quote's. */
export const matchesRtmrs = (replayed: readonly Uint8Array[], quoted: readonly Uint8Array[]): boolean =>
  replayed.length === quoted.length &&
  replayed.every((value, i) => equalBytes(value, quoted[i] as Uint8Array));
