import { toHex, type Hex } from "../../words/hex.ts";
import { ByteReader } from "../ByteReader.ts";
import { EvidenceError } from "../EvidenceError.ts";

/**
 * In which way the GPU is confidential: alone with its VM (`spt`), several over encrypted NVLink (`mpt`), several with
 * plain NVLink inside the trust boundary (`ppcie`). Firmware before opaque data version 1 does not say (`unstated`).
 */
export type GpuMode = "spt" | "mpt" | "ppcie" | "unstated";

/** What a report says of its GPU beyond measurements: the vendor's part of SPDM, signed with the rest. */
export interface GpuFacts {
  readonly driverVersion: string;
  /** As RIMs name it, e.g. 96.00.A5.00.01. */
  readonly vbiosVersion: string;
  readonly mode: GpuMode;
  /** SHA-384 of the firmware that holds the attestation key. */
  readonly firmwareId: Uint8Array;
  /** Whether the video decoder is on: measurement 35 means something only then. */
  readonly nvdec0: boolean;
  readonly boardId: Hex | null;
  readonly chipSku: string | null;
  readonly project: string | null;
  readonly projectSku: string | null;
  /** Name of the chip, e.g. GB100. Hopper's firmware does not say. */
  readonly chip: string | null;
}

/** Field numbers (NVIDIA attestation SDK, `GpuOpaqueDataType`). */
const Field = {
  DriverVersion: 3,
  VbiosVersion: 6,
  Nvdec0Status: 11,
  BoardId: 14,
  ChipSku: 15,
  Project: 17,
  ProjectSku: 18,
  FirmwareId: 20,
  Version: 34,
  ChipInfo: 35,
  FeatureFlag: 36,
} as const;

const MODES: Readonly<Record<number, GpuMode>> = { 0: "spt", 1: "mpt", 2: "ppcie" };
const MAX_FIELDS = 64;
const MAX_VERSION = 1;
/** "NVDAOD": a later form with a header, which this reader names and refuses. */
const HEADER_MAGIC = "0x4e5644414f44";

/** Parses opaque data: type, length, value, each type once. @throws EvidenceError `evidence/gpu-opaque-format`. */
export function parseOpaqueData(bytes: Uint8Array): GpuFacts {
  if (toHex(bytes.subarray(0, 6)) === HEADER_MAGIC) throw malformed("opaque data without NVDAOD header");
  const fields = new Map<number, Uint8Array>();
  const reader = new ByteReader(bytes);
  while (reader.remaining > 0) {
    const type = reader.u16("opaque field type");
    const value = reader.take(reader.u16("opaque field size"), `opaque field ${type}`);
    if (fields.has(type)) throw malformed("each opaque field once", { type });
    if (fields.size === MAX_FIELDS) throw malformed(`at most ${MAX_FIELDS} opaque fields`);
    fields.set(type, value);
  }
  const text = (type: number): string | null => {
    const value = fields.get(type);
    return value ? readText(value, type) : null;
  };
  const boardId = fields.get(Field.BoardId);
  return {
    driverVersion: readText(exact(fields, Field.DriverVersion), Field.DriverVersion),
    vbiosVersion: readVbiosVersion(exact(fields, Field.VbiosVersion, 8)),
    mode: readMode(fields),
    firmwareId: exact(fields, Field.FirmwareId, 48),
    nvdec0: readNvdec0(exact(fields, Field.Nvdec0Status, 1)),
    boardId: boardId ? toHex(boardId) : null,
    chipSku: text(Field.ChipSku),
    project: text(Field.Project),
    projectSku: text(Field.ProjectSku),
    chip: readChip(fields.get(Field.ChipInfo)),
  };
}

/** A field that must be there, of this length where one is given. */
function exact(fields: ReadonlyMap<number, Uint8Array>, type: number, length?: number): Uint8Array {
  const value = fields.get(type);
  if (!value) throw malformed(`opaque field ${type}`, { type });
  if (length !== undefined && value.length !== length) {
    throw malformed(`${length} bytes in opaque field ${type}`, { type, actual: value.length });
  }
  return value;
}

/** Only a manifest is looked for by it: what is no plain name is none. */
function readChip(value: Uint8Array | undefined): string | null {
  const text = value ? asText(value) : "";
  return PLAIN.test(text) ? text : null;
}

const PLAIN = /^[0-9A-Za-z._-]{1,32}$/;
const asText = (value: Uint8Array): string => String.fromCharCode(...value).replace(/\0+$/, "");

/** Printable ASCII with zero bytes after it. */
function readText(value: Uint8Array, type: number): string {
  const text = asText(value);
  if (!PLAIN.test(text)) throw malformed(`a plain name in opaque field ${type}`, { type });
  return text;
}

/** Bytes 3 to 0 and then byte 4, in hex: 00 a5 00 96 01 is 96.00.A5.00.01. */
const readVbiosVersion = (value: Uint8Array): string =>
  [3, 2, 1, 0, 4]
    .map((i) => toHex(value.subarray(i, i + 1)).slice(2))
    .join(".")
    .toUpperCase();

/** 0xaa is on and 0x55 off; anything else would be a fault injected. */
function readNvdec0([status]: Uint8Array): boolean {
  if (status !== 0xaa && status !== 0x55) throw malformed("NVDEC0 status 0xaa or 0x55", { actual: status });
  return status === 0xaa;
}

function readMode(fields: ReadonlyMap<number, Uint8Array>): GpuMode {
  const version = fields.has(Field.Version) ? readU16(exact(fields, Field.Version, 2)) : 0;
  if (version > MAX_VERSION) {
    throw malformed(`opaque data version ${MAX_VERSION} or lower`, { actual: version });
  }
  if (version === 0 && !fields.has(Field.FeatureFlag)) return "unstated";
  const flag = readU16(exact(fields, Field.FeatureFlag, 2));
  const mode = MODES[flag];
  if (!mode) throw malformed("a known confidential mode (feature flag 0, 1 or 2)", { actual: flag });
  return mode;
}

const readU16 = ([low = 0, high = 0]: Uint8Array): number => low + high * 256;

const malformed = (what: string, details: Record<string, unknown> = {}): EvidenceError =>
  new EvidenceError("gpu-opaque-format", `expected ${what}`, { expected: what, ...details });
