import type { KeyObject } from "node:crypto";

import { labelled, signRaw } from "../keys.ts";

/** What the simulated GPU runs. */
export const GPU_DRIVER = "590.12";
export const GPU_VBIOS = "96.00.A5.00.01";
/** Values that the simulated vendor's manifests name: driver at even indices, VBIOS at odd ones (from 0). */
export const GPU_MEASUREMENTS = 64;
const MEASURED = 40;

/** 48 bytes of measurement `index` (from 0); unused ones are zero. */
export const goldenValue = (index: number): Buffer =>
  index < MEASURED ? labelled(`charter simulated GPU measurement ${index}`, 48) : Buffer.alloc(48);

export const GOLDEN_INDICES = Array.from({ length: MEASURED }, (_, i) => i);

export interface GpuReportOptions {
  /** 32 bytes. */
  readonly nonce: Uint8Array;
  readonly key: KeyObject;
  readonly firmwareId: Uint8Array;
  /** Firmware of a developer: measures what no manifest names. */
  readonly devTools?: boolean;
  /** A feature flag that no confidential mode has. */
  readonly ccOff?: boolean;
  /** Measurement (from 0) that differs. */
  readonly altered?: number;
  /** Whether the video decoder is on. */
  readonly nvdec0?: boolean;
  /** 0 single GPU, 1 several, 2 protected PCIe. */
  readonly featureFlag?: number;
  /** Last byte of opaque data left out. */
  readonly truncatedOpaqueData?: boolean;
  /** Changes fields of opaque data; null leaves one out. */
  readonly fields?: Readonly<Record<number, Uint8Array | null>>;
}

const u16 = (value: number): Buffer => Buffer.from([value & 0xff, value >> 8]);
const u24 = (value: number): Buffer => Buffer.from([value & 0xff, (value >> 8) & 0xff, value >> 16]);
const text = (value: string): Buffer => Buffer.from(`${value}\0`, "latin1");

/** GET_MEASUREMENTS and its response, as a GPU of the simulated vendor signs them (SPDM 1.1 §10.11). */
export function makeGpuReport(options: GpuReportOptions): Buffer {
  const { nonce, key, devTools = false, altered, truncatedOpaqueData = false } = options;
  const request = Buffer.concat([Buffer.from([0x11, 0xe0, 0x01, 0xff]), nonce, Buffer.from([0])]);
  const blocks = Array.from({ length: GPU_MEASUREMENTS }, (_, i) => {
    const isChanged = altered === i || (devTools && i === 0);
    const value = isChanged ? labelled(`charter simulated GPU, altered ${i}`, 48) : goldenValue(i);
    return Buffer.concat([Buffer.from([i + 1, 1]), u16(51), Buffer.from([1]), u16(48), value]);
  });
  const record = Buffer.concat(blocks);
  const opaque = opaqueData(options);
  const opaqueBytes = truncatedOpaqueData ? opaque.subarray(0, -1) : opaque;
  const signed = Buffer.concat([
    request,
    Buffer.from([0x11, 0x60, 0, 0, GPU_MEASUREMENTS]),
    u24(record.length),
    record,
    labelled("charter simulated GPU's own nonce", 32),
    u16(opaqueBytes.length),
    opaqueBytes,
  ]);
  return Buffer.concat([signed, signRaw(key, signed)]);
}

function opaqueData(options: GpuReportOptions): Buffer {
  const { firmwareId, ccOff = false, nvdec0 = false, featureFlag = 0, fields: changes = {} } = options;
  const fields: Record<number, Uint8Array | null> = {
    6: Buffer.from("00a5009601000000", "hex"),
    14: Buffer.from("37040000", "hex"),
    15: text("885"),
    17: text("G520"),
    18: text("0200"),
    3: text(GPU_DRIVER),
    11: Buffer.from([nvdec0 ? 0xaa : 0x55]),
    20: firmwareId,
    34: u16(1),
    36: u16(ccOff ? 0xffff : featureFlag),
    ...changes,
  };
  return Buffer.concat(
    Object.entries(fields).flatMap(([type, value]) =>
      value === null ? [] : [u16(Number(type)), u16(value.length), Buffer.from(value)],
    ),
  );
}
