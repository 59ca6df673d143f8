import * as z from "zod/mini";

import type { CharterError } from "../../errors/CharterError.ts";
import { parseStrictJson } from "../../words/strictJson.ts";
import { quoteBytes } from "../dcap/quoteBytes.ts";
import { EvidenceError } from "../EvidenceError.ts";
import type { AnyEvidence } from "./verify.ts";

/** Largest file that is looked at: an event log of 1 MiB and what stands around it. */
export const MAX_EVIDENCE_BYTES = 4 * 1_048_576;

const SNP_REPORT_BYTES = 1_184;
const SNP_VERSIONS = [1, 2, 3, 4, 5, 6];

/** Charter's own evidence message, and dstack's `quote-report.json`; both may carry more than is judged. */
const ours = z.looseObject({
  kind: z.enum(["tdx", "sgx"]),
  quote: z.string(),
  eventLog: z.string(),
  vmConfig: z.string(),
});
const quoteReport = z.looseObject({ quote: z.string(), event_log: z.string(), vm_config: z.string() });

/** An SEV-SNP report with what came along: PEM of leaf, ASK and ARK; dstack's configuration document. */
const snpReport = z.strictObject({
  kind: z.literal("snp"),
  report: z.string(),
  certificates: z.optional(z.string().check(z.maxLength(65_536))),
  mrConfig: z.optional(z.string().check(z.maxLength(65_536))),
});

const OPEN_BRACE = 0x7b;
const OPEN_BRACKET = 0x5b;

/**
 * Recognizes evidence by what it looks like: a quote as bytes or hex, Charter's evidence or dstack's quote report as
 * JSON, an AWS Nitro document, an SEV-SNP report (bytes, with or without the kernel's table of certificates, or JSON), NVIDIA's list of GPU
 * reports, a token of NVIDIA's service.
 * @throws EvidenceError `evidence/unknown-form`, naming what was tried; the parsers' own errors where the form is clear.
 */
export function readEvidence(file: Uint8Array): AnyEvidence {
  if (file.length > MAX_EVIDENCE_BYTES) {
    throw new EvidenceError("unknown-form", `expected at most ${MAX_EVIDENCE_BYTES} bytes`, {
      actual: file.length,
    });
  }
  const first = file.find((byte) => byte > 0x20);
  if (first === OPEN_BRACE || first === OPEN_BRACKET) return fromJson(new TextDecoder().decode(file).trim());
  const text =
    file.length % 2 === 0 || file.at(-1) === 0x0a ? new TextDecoder("latin1").decode(file).trim() : "";
  return fromBytes(/^(?:0x)?(?:[0-9a-fA-F]{2})+$/.test(text) ? quoteBytes(text) : file);
}

function fromJson(text: string): AnyEvidence {
  const json = parseStrictJson(text, "evidence");
  if (Array.isArray(json)) {
    // A detached EAT begins with ["JWT", …]; a list of reports with an object.
    return Array.isArray(json[0]) ? { kind: "nras", token: text } : { kind: "gpu", reports: text };
  }
  const message = z.safeParse(ours, json);
  if (message.success) {
    const { quote, eventLog, vmConfig } = message.data;
    return { kind: "dcap", quote: quoteBytes(quote), guest: { eventLog, vmConfig } };
  }
  const report = z.safeParse(quoteReport, json);
  if (report.success) {
    const { quote, event_log: eventLog, vm_config: vmConfig } = report.data;
    return { kind: "dcap", quote: quoteBytes(quote), guest: { eventLog, vmConfig } };
  }
  const snp = z.safeParse(snpReport, json);
  if (snp.success) {
    const { report: hex, certificates, mrConfig } = snp.data;
    return {
      kind: "snp",
      report: quoteBytes(hex),
      ...(certificates === undefined ? {} : { certificates }),
      ...(mrConfig === undefined ? {} : { mrConfig }),
    };
  }
  throw unknownForm("JSON of another shape");
}

function fromBytes(bytes: Uint8Array): AnyEvidence {
  // A DCAP quote: version and attestation key type (2 or 3: ECDSA), both 16 bits. An SNP report: version of 32 bits.
  const [version = 0, high = 1, keyType = 0] = bytes;
  if (high === 0 && version >= 1 && version <= 15 && (keyType === 2 || keyType === 3)) {
    return { kind: "dcap", quote: bytes };
  }
  // COSE_Sign1: an array of four, with its tag or without.
  if (version === 0x84 || (version === 0xd2 && high === 0x84)) return { kind: "nitro", document: bytes };
  if (SNP_VERSIONS.includes(version) && high === 0 && bytes.length >= SNP_REPORT_BYTES) {
    // Alone, or as the kernel gives it with a table of certificates behind.
    const table = bytes.subarray(SNP_REPORT_BYTES);
    return {
      kind: "snp",
      report: bytes.subarray(0, SNP_REPORT_BYTES),
      ...(table.length === 0 ? {} : { certificateTable: table }),
    };
  }
  throw unknownForm(
    `bytes that begin with ${[...bytes.subarray(0, 4)].map((byte) => byte.toString(16)).join(" ")}`,
  );
}

const unknownForm = (actual: string): CharterError =>
  new EvidenceError(
    "unknown-form",
    "expected a quote (bytes or hex), evidence or a quote report as JSON, an SNP report, a Nitro document, GPU reports or a token",
    { actual },
  );
