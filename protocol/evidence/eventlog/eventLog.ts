import { z } from "zod";

import type { Crypto } from "../../crypto/crypto.ts";
import { fromHex, toHex, type Hex } from "../../words/hex.ts";
import { concatBytes, equalBytes } from "../dcap/bytes.ts";
import { parseStrictJson } from "../dcap/strictJson.ts";
import { EvidenceError } from "../EvidenceError.ts";

/** Event type of dstack's runtime events (RTMR3). */
export const RUNTIME_EVENT = 0x0800_0001;
export const MAX_EVENTS = 10_000;
export const MAX_EVENT_LOG_BYTES = 1_048_576;

export interface LoggedEvent {
  /** RTMR index. */
  readonly imr: 0 | 1 | 2 | 3;
  readonly type: number;
  readonly name: string;
  readonly payload: Uint8Array;
  /** As logged: used for RTMR0-2 only, where firmware hashes data that the log does not carry. */
  readonly loggedDigest: Uint8Array;
}

const hexText = z.string().regex(/^(?:[0-9a-fA-F]{2})*$/, "expected hex");
const eventSchema = z.strictObject({
  imr: z.number().int().min(0).max(3),
  event_type: z.number().int().min(0).max(0xffff_ffff),
  digest: hexText,
  event: z.string().max(1024),
  event_payload: hexText,
});

const bytesOf = (hex: string): Uint8Array => fromHex(`0x${hex}`);

/** Parses dstack's event log (a JSON array). @throws EvidenceError `evidence/event-log-format`. */
export function parseEventLog(text: string): LoggedEvent[] {
  if (text.length > MAX_EVENT_LOG_BYTES) throw malformed(`at most ${MAX_EVENT_LOG_BYTES} characters`);
  let json: unknown;
  try {
    json = parseStrictJson(text, "event log");
  } catch (error) {
    throw malformed(error instanceof Error ? error.message : "JSON");
  }
  const parsed = z.array(eventSchema).max(MAX_EVENTS).safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw malformed(`${issue?.path.join(".") ?? ""}: ${issue?.message ?? "events"}`);
  }
  return parsed.data.map((event) => ({
    imr: event.imr as LoggedEvent["imr"],
    type: event.event_type,
    name: event.event,
    payload: bytesOf(event.event_payload),
    loggedDigest: bytesOf(event.digest),
  }));
}

const malformed = (expected: string): EvidenceError =>
  new EvidenceError("event-log-format", `expected an event log: ${expected}`);

/** V1 digest of a runtime event: SHA-384(LE32(type) ":" name ":" payload). */
export function runtimeEventDigest(name: string, payload: Uint8Array, crypto: Crypto): Promise<Uint8Array> {
  const type = Uint8Array.of(0x01, 0x00, 0x00, 0x08);
  const text = new TextEncoder();
  return crypto.digest("SHA-384", concatBytes(type, text.encode(`:${name}:`), payload));
}

/**
 * Replays the log into RTMR0-3. Runtime events (RTMR3) are digested from name and payload: what was logged as their
 * digest is never believed. Firmware events (RTMR0-2) enter by their logged digest, because firmware measures data
 * that the log does not carry; nothing here trusts those events' payloads.
 * @throws EvidenceError `evidence/event-log-format` for any other event in RTMR3.
 */
export async function replayRtmrs(events: readonly LoggedEvent[], crypto: Crypto): Promise<Uint8Array[]> {
  const rtmrs = [0, 1, 2, 3].map(() => new Uint8Array(48));
  for (const event of events) {
    let digest = event.loggedDigest;
    if (event.imr === 3) {
      if (event.type !== RUNTIME_EVENT) throw malformed("only runtime events in RTMR3");
      digest = await runtimeEventDigest(event.name, event.payload, crypto);
    } else if (digest.length !== 48) {
      throw malformed("SHA-384 digests of firmware events");
    }
    rtmrs[event.imr] = Uint8Array.from(
      await crypto.digest("SHA-384", concatBytes(rtmrs[event.imr] as Uint8Array, digest)),
    );
  }
  return rtmrs;
}

/** What the guest's boot says of itself, from events before `system-ready` only. */
export interface BootFacts {
  readonly appId: Hex;
  readonly composeHash: Hex;
  readonly instanceId: Hex;
  readonly keyProvider: Uint8Array;
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
    facts.set(event.name, event.payload);
  }
  if (!isReady) throw new EvidenceError("event-log-facts", "expected the event system-ready");
  const required = (name: string, length?: number): Uint8Array => {
    const payload = facts.get(name);
    if (!payload || (length !== undefined && payload.length !== length)) {
      throw new EvidenceError("event-log-facts", `expected the event ${name} before system-ready`, {
        name,
        expected: length,
        actual: payload?.length,
      });
    }
    return payload;
  };
  return {
    appId: toHex(required("app-id", 20)),
    composeHash: toHex(required("compose-hash", 32)),
    instanceId: toHex(required("instance-id")),
    keyProvider: required("key-provider"),
  };
}

/** True when the replayed values are the quote's. */
export const matchesRtmrs = (replayed: readonly Uint8Array[], quoted: readonly Uint8Array[]): boolean =>
  replayed.length === quoted.length &&
  replayed.every((value, i) => equalBytes(value, quoted[i] as Uint8Array));
