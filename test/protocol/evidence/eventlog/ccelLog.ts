import { createHash } from "node:crypto";

/** One event to log; its digest is that of its data unless something else was measured. */
export interface Logged {
  /** Measurement register: 0 is MRTD, 1 to 4 are RTMR0 to RTMR3. */
  readonly index: number;
  readonly type: number;
  readonly data: Uint8Array;
  readonly digest?: Uint8Array;
}

export interface CcelDefects {
  readonly headerIndex?: number;
  readonly headerType?: number;
  readonly headerDigest?: Uint8Array;
  readonly signature?: string;
  readonly platformClass?: number;
  /** Minor, major, errata, size of UINTN. */
  readonly versions?: readonly [number, number, number, number];
  readonly algorithms?: readonly (readonly [id: number, size: number])[];
  readonly vendor?: string;
  /** Put behind the vendor information, inside the Spec ID event. */
  readonly headerTail?: Uint8Array;
  /** Digests per event, each written in turn. */
  readonly digests?: number;
  readonly digestAlgorithm?: number;
  /** What fills the log area behind the events. */
  readonly filler?: Uint8Array;
}

const u16 = (value: number): Buffer => {
  const out = Buffer.alloc(2);
  out.writeUInt16LE(value);
  return out;
};
const u32 = (value: number): Buffer => {
  const out = Buffer.alloc(4);
  out.writeUInt32LE(value);
  return out;
};

export const sha384 = (...parts: readonly Uint8Array[]): Buffer =>
  parts.reduce((hash, part) => hash.update(part), createHash("sha384")).digest();

/** A boot log as OVMF leaves it in the log area of a TD, or with something wrong in it. */
export function ccelLog(events: readonly Logged[], defects: CcelDefects = {}): Uint8Array {
  const { algorithms = [[0x000c, 48]], versions = [0, 2, 105, 2], vendor = "", digests = 1 } = defects;
  const specId = Buffer.concat([
    Buffer.from(defects.signature ?? "Spec ID Event03\0", "latin1"),
    u32(defects.platformClass ?? 0),
    Buffer.from(versions),
    u32(algorithms.length),
    ...algorithms.flatMap(([id, size]) => [u16(id), u16(size)]),
    Buffer.of(vendor.length),
    Buffer.from(vendor, "latin1"),
    defects.headerTail ?? Buffer.alloc(0),
  ]);
  return Uint8Array.from(
    Buffer.concat([
      u32(defects.headerIndex ?? 1),
      u32(defects.headerType ?? 3),
      defects.headerDigest ?? Buffer.alloc(20),
      u32(specId.length),
      specId,
      ...events.flatMap(({ index, type, data, digest = sha384(data) }) => [
        u32(index),
        u32(type),
        u32(digests),
        ...Array.from({ length: digests }, () =>
          Buffer.concat([u16(defects.digestAlgorithm ?? 0x000c), digest]),
        ),
        u32(data.length),
        data,
      ]),
      defects.filler ?? Buffer.alloc(64, 0xff),
    ]),
  );
}
