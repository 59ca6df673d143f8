import { toHex } from "../../words/hex.ts";
import { EvidenceError } from "../EvidenceError.ts";
import { CborReader } from "./CborReader.ts";

/** What an enclave's attestation document says (AWS Nitro Enclaves, "Verifying the root of trust", §2.2). */
export interface NitroDocument {
  readonly moduleId: string;
  /** Milliseconds since the epoch, by the hypervisor's clock. */
  readonly timestamp: number;
  /** 48 bytes each, by index. */
  readonly pcrs: ReadonlyMap<number, Uint8Array>;
  /** DER: the key that signed. */
  readonly certificate: Uint8Array;
  /** DER, the root first. */
  readonly cabundle: readonly Uint8Array[];
  readonly publicKey: Uint8Array | null;
  readonly userData: Uint8Array | null;
  readonly nonce: Uint8Array | null;
}

/** A document in its envelope (COSE_Sign1, RFC 9052 §4.2). */
export interface SignedNitroDocument {
  readonly document: NitroDocument;
  /** Exactly the signed bytes: the Sig_structure around the payload. */
  readonly signed: Uint8Array;
  /** r‖s on P-384. */
  readonly signature: Uint8Array;
}

export const MAX_DOCUMENT_BYTES = 16_384;
const COSE_SIGN1 = 18;
/** {1: -35}: ES384 and nothing else; what stands outside the signature may name no algorithm. */
const PROTECTED = "0xa1013822";
const MAX_PCRS = 32;
const PCR_BYTES = 48;
const MAX_CERTIFICATE = 1_024;
/** With the leaf no more than any chain here may have. */
const MAX_BUNDLE = 9;

/** Parses an attestation document. @throws EvidenceError `evidence/nitro-format`. */
export function parseNitroDocument(bytes: Uint8Array): SignedNitroDocument {
  if (bytes.length > MAX_DOCUMENT_BYTES) {
    throw malformed(`at most ${MAX_DOCUMENT_BYTES} bytes`, { actual: bytes.length });
  }
  const reader = new CborReader(bytes);
  reader.optionalTag(COSE_SIGN1);
  reader.array("COSE_Sign1", 4, 4);
  const header = reader.bytes("the protected header", 1, 64);
  if (toHex(header) !== PROTECTED) throw malformed("ES384 as the only protected header");
  reader.map("the unprotected header", 0, () => undefined);
  const payload = reader.bytes("the payload", 1, MAX_DOCUMENT_BYTES);
  const signature = reader.bytes("the signature", 96, 96);
  reader.end("the document");
  return { document: parsePayload(payload), signed: sigStructure(header, payload), signature };
}

/** ["Signature1", protected, external (empty), payload] (RFC 9052 §4.4). */
function sigStructure(header: Uint8Array, payload: Uint8Array): Uint8Array {
  const context = new TextEncoder().encode("Signature1");
  const head =
    payload.length < 256 ? [0x58, payload.length] : [0x59, payload.length >> 8, payload.length & 0xff];
  return Uint8Array.of(0x84, 0x6a, ...context, 0x40 + header.length, ...header, 0x40, ...head, ...payload);
}

function parsePayload(payload: Uint8Array): NitroDocument {
  const reader = new CborReader(payload);
  const fields: Partial<Record<keyof NitroDocument, unknown>> = {};
  const once = (name: keyof NitroDocument, read: () => unknown): void => {
    if (Object.hasOwn(fields, name)) throw malformed("each field once", { name });
    fields[name] = read();
  };
  let hasDigest = false;
  reader.map("the document", 16, () => {
    const key = reader.text("a field's name", 1, 32);
    switch (key) {
      case "module_id":
        return once("moduleId", () => reader.text("module_id", 1, 256));
      case "digest":
        if (hasDigest || reader.text("digest", 6, 6) !== "SHA384") throw malformed("SHA384 as digest, once");
        hasDigest = true;
        return;
      case "timestamp":
        return once("timestamp", () => reader.uint("timestamp"));
      case "pcrs":
        return once("pcrs", () => readPcrs(reader));
      case "certificate":
        return once("certificate", () => reader.bytes("certificate", 1, MAX_CERTIFICATE));
      case "cabundle":
        return once("cabundle", () => {
          const count = reader.array("cabundle", 1, MAX_BUNDLE);
          return Array.from({ length: count }, () => reader.bytes("a certificate", 1, MAX_CERTIFICATE));
        });
      case "public_key":
        return once("publicKey", () => reader.optional(() => reader.bytes("public_key", 1, 1_024)));
      case "user_data":
        return once("userData", () => reader.optional(() => reader.bytes("user_data", 0, 512)));
      case "nonce":
        return once("nonce", () => reader.optional(() => reader.bytes("nonce", 0, 512)));
      default:
        throw malformed("the fields that AWS documents", { actual: key });
    }
  });
  reader.end("the payload");
  for (const name of ["moduleId", "timestamp", "pcrs", "certificate", "cabundle"] as const) {
    if (!Object.hasOwn(fields, name)) throw malformed(`the field ${name}`);
  }
  if (!hasDigest) throw malformed("the field digest");
  return { publicKey: null, userData: null, nonce: null, ...fields } as NitroDocument;
}

function readPcrs(reader: CborReader): Map<number, Uint8Array> {
  const pcrs = new Map<number, Uint8Array>();
  reader.map("pcrs", MAX_PCRS, () => {
    const index = reader.uint("a PCR's index");
    if (index >= MAX_PCRS || pcrs.has(index)) throw malformed(`each index below ${MAX_PCRS} once`, { index });
    pcrs.set(index, reader.bytes("a PCR", PCR_BYTES, PCR_BYTES));
  });
  return pcrs;
}

const malformed = (expected: string, detail: Record<string, unknown> = {}): EvidenceError =>
  new EvidenceError("nitro-format", `expected ${expected}`, detail);
