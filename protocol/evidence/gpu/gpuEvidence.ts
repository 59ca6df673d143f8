import * as z from "zod/mini";

import { keccak256 } from "../../crypto/keccak.ts";
import { MAX_CHAIN } from "../../der/pem.ts";
import { CharterError } from "../../errors/CharterError.ts";
import { firstIssue } from "../../words/issues.ts";
import { parseBytes32, type Bytes32 } from "../../words/hex.ts";
import { parseStrictJson } from "../../words/strictJson.ts";
import { MAX_REPORT_BYTES } from "./spdm.ts";

/** One GPU's evidence as NVIDIA's tools collect it. Whatever is said beside the report must agree with it. */
export interface GpuEvidence {
  readonly arch: string;
  /** The nonce that the report was asked with. */
  readonly nonce: Bytes32;
  /** SPDM request and response. */
  readonly report: Uint8Array;
  /** PEM, leaf first, root last. */
  readonly certificates: string;
  readonly driverVersion?: string;
  readonly vbiosVersion?: string;
}

export const MAX_GPUS = 16;
/** Characters of one PEM chain; NVIDIA's have some 5,000. */
export const MAX_CHAIN_CHARACTERS = MAX_CHAIN * 3000;
const MAX_TEXT = MAX_GPUS * 2 * (MAX_REPORT_BYTES + MAX_CHAIN_CHARACTERS);

const entrySchema = z.strictObject({
  version: z.optional(z.literal("1.0")),
  arch: z.string().check(z.maxLength(32)),
  certificate: z.string(),
  evidence: z.string(),
  nonce: z.string().check(z.regex(/^[0-9a-fA-F]{64}$/, "expected 32 bytes of hex")),
  driver_version: z.optional(z.string().check(z.maxLength(32))),
  vbios_version: z.optional(z.string().check(z.maxLength(32))),
});
const listSchema = z.array(entrySchema).check(z.minLength(1), z.maxLength(MAX_GPUS));

/**
 * Parses `nvattest collect-evidence`'s list (NVIDIA attestation SDK, serialized GPU evidence).
 * @throws CharterError `gpu/evidence-malformed`, `json/malformed`.
 */
export function parseGpuEvidence(text: string): GpuEvidence[] {
  if (text.length > MAX_TEXT) throw malformed(`at most ${MAX_TEXT} characters`);
  const parsed = z.safeParse(listSchema, parseStrictJson(text, "GPU evidence"));
  if (!parsed.success) throw malformed(firstIssue(parsed.error));
  return parsed.data.map((entry) => ({
    arch: entry.arch,
    nonce: parseBytes32(`0x${entry.nonce}`, "nonce"),
    report: decodeBase64(entry.evidence),
    certificates: new TextDecoder().decode(decodeBase64(entry.certificate)),
    ...(entry.driver_version === undefined ? {} : { driverVersion: entry.driver_version }),
    ...(entry.vbios_version === undefined ? {} : { vbiosVersion: entry.vbios_version }),
  }));
}

/** Canonical base64 (RFC 4648 §3.5): one text for one evidence. */
function decodeBase64(text: string): Uint8Array {
  let binary: string;
  try {
    binary = atob(text);
  } catch (cause) {
    throw malformed("base64", cause);
  }
  if (btoa(binary) !== text) throw malformed("canonical base64");
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

/**
 * What goes into `reportData[32:64]` for SPDM evidence: keccak256("charter.gpu.v1" ‖ number of GPUs ‖ for each: the
 * report and the PEM chain, each after its length). Numbers are 4 bytes, big-endian. What is merely said beside the
 * report (architecture, versions) is not in it: verification compares that with the signed report.
 */
export function gpuEvidenceDigest(all: readonly GpuEvidence[]): Bytes32 {
  const encoder = new TextEncoder();
  const parts = all.flatMap(({ report, certificates }) => [report, encoder.encode(certificates)]);
  return digestOf("charter.gpu.v1", [u32(all.length), ...parts.flatMap((part) => [u32(part.length), part])]);
}

/** The same for the token of NVIDIA's service: keccak256("charter.nras.v1" ‖ length ‖ the exact text). */
export function nrasTokenDigest(token: string): Bytes32 {
  const bytes = new TextEncoder().encode(token);
  return digestOf("charter.nras.v1", [u32(bytes.length), bytes]);
}

const digestOf = (domain: string, parts: readonly Uint8Array[]): Bytes32 =>
  keccak256(new TextEncoder().encode(domain), ...parts);

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

const malformed = (message: string, cause?: unknown): CharterError =>
  new CharterError("gpu/evidence-malformed", `expected ${message}`, {}, cause === undefined ? {} : { cause });
