import { isZero } from "../../words/bytes.ts";
import { ByteReader } from "../ByteReader.ts";
import { EvidenceError } from "../EvidenceError.ts";

/** One measurement block (SPDM 1.1 §10.11.1, tables 43 and 44). */
export interface SpdmMeasurement {
  /** As on the wire: the first block has index 1. */
  readonly index: number;
  /** DMTFSpecMeasurementValueType, whole byte: bit 7 says raw bytes, the rest what was measured. */
  readonly type: number;
  readonly value: Uint8Array;
}

/** GET_MEASUREMENTS request and MEASUREMENTS response, as NVIDIA's drivers hand them out: one after the other. */
export interface SpdmReport {
  /** The verifier's nonce, 32 bytes, from the request. */
  readonly nonce: Uint8Array;
  /** The GPU's own nonce, 32 bytes. */
  readonly responderNonce: Uint8Array;
  readonly measurements: readonly SpdmMeasurement[];
  readonly opaqueData: Uint8Array;
  /** Request and response up to the signature: exactly what the GPU signed. */
  readonly signed: Uint8Array;
  /** r‖s on P-384. */
  readonly signature: Uint8Array;
}

const SPDM_1_1 = 0x11;
const GET_MEASUREMENTS = 0xe0;
const MEASUREMENTS = 0x60;
const SIGNATURE_REQUESTED = 0x01;
const ALL_MEASUREMENTS = 0xff;
const DMTF = 1;
const REQUEST_BYTES = 37;
const NONCE_BYTES = 32;
const SIGNATURE_BYTES = 96;
const MAX_VALUE_BYTES = 64;
/** Largest report: 64 blocks of 55 bytes and a few hundred of opaque data are usual. */
export const MAX_REPORT_BYTES = 16_384;

/**
 * Parses a GPU attestation report (DMTF DSP0274 1.1 §10.11; NVIDIA attestation SDK, "SPDM GET_MEASUREMENTS"). Every
 * length must add up exactly. @throws EvidenceError `evidence/gpu-report-format`, `evidence/quote-format`.
 */
export function parseSpdmReport(bytes: Uint8Array): SpdmReport {
  expected(bytes.length <= MAX_REPORT_BYTES, `at most ${MAX_REPORT_BYTES} bytes`, bytes.length);
  const reader = new ByteReader(bytes);
  const { nonce, slot } = readRequest(reader);

  const head = reader.take(4, "SPDM response header");
  expected(head[0] === SPDM_1_1, "SPDM version 0x11 in the response", head[0]);
  expected(head[1] === MEASUREMENTS, "a MEASUREMENTS response (0x60)", head[1]);
  expected(head[2] === 0, "no index count where all measurements were asked for", head[2]);
  expected(head[3] === slot, "the certificate slot that was asked for", head[3]);
  const blocks = readByte(reader, "number of blocks");
  const recordLength = reader.take(3, "measurement record length").reduceRight((sum, b) => sum * 256 + b, 0);
  const measurements = readBlocks(reader.take(recordLength, "measurement record"), blocks);
  const responderNonce = reader.take(NONCE_BYTES, "responder nonce");
  const opaqueData = reader.take(reader.u16("opaque data length"), "opaque data");
  const signed = bytes.subarray(0, reader.offset);
  const signature = reader.take(SIGNATURE_BYTES, "signature");
  reader.end("the GPU's signature");
  return { nonce, responderNonce, measurements, opaqueData, signed, signature };
}

/** GET_MEASUREMENTS with a signature asked for (SPDM 1.1 table 40): header, nonce, slot. */
function readRequest(reader: ByteReader): { nonce: Uint8Array; slot: number } {
  const request = reader.take(REQUEST_BYTES, "SPDM request");
  expected(request[0] === SPDM_1_1, "SPDM version 0x11 in the request", request[0]);
  expected(request[1] === GET_MEASUREMENTS, "a GET_MEASUREMENTS request (0xe0)", request[1]);
  expected(request[2] === SIGNATURE_REQUESTED, "a request for a signature", request[2]);
  expected(request[3] === ALL_MEASUREMENTS, "a request for all measurements", request[3]);
  const nonce = request.subarray(4, 4 + NONCE_BYTES);
  expected(!isZero(nonce), "a nonce that is not zero", 0);
  return { nonce, slot: request[REQUEST_BYTES - 1] as number };
}

function readBlocks(record: Uint8Array, count: number): SpdmMeasurement[] {
  expected(count > 0, "at least one measurement block", count);
  const reader = new ByteReader(record);
  const measurements: SpdmMeasurement[] = [];
  for (let i = 1; i <= count; i++) {
    const index = readByte(reader, "measurement index");
    // Blocks come in order and each once: two blocks of one index would let two readers see two values.
    expected(index === i, `measurement block ${i} at its place`, index);
    const specification = readByte(reader, "measurement specification");
    expected(specification === DMTF, "a DMTF measurement (specification 1)", specification);
    const size = reader.u16("measurement size");
    const type = readByte(reader, "measurement value type");
    const length = reader.u16("measurement value size");
    expected(size === length + 3, "a block as long as its value and three bytes", size);
    expected(length > 0 && length <= MAX_VALUE_BYTES, `1 to ${MAX_VALUE_BYTES} bytes of value`, length);
    measurements.push({ index, type, value: reader.take(length, "measurement value") });
  }
  reader.end("the last measurement block");
  return measurements;
}

const readByte = (reader: ByteReader, what: string): number => reader.take(1, what)[0] as number;

function expected(ok: boolean, what: string, actual: number | undefined): void {
  if (!ok) throw new EvidenceError("gpu-report-format", `expected ${what}`, { expected: what, actual });
}
