import { TcbStatus } from "../../../../../protocol/words/enums.ts";
import type { Random } from "../../../../support/random.ts";
import type { Platform } from "./tcbTwin.ts";
import type { QeIdentity, TcbInfo } from "../../../../../protocol/evidence/dcap/tcbSchemas.ts";

const STATUSES = Object.keys(TcbStatus).filter((name) => name !== "Unknown");
const ADVISORIES = [
  "INTEL-SA-00001",
  "INTEL-SA-00002",
  "INTEL-SA-00010",
  "INTEL-SA-0001",
  "INTEL-SA-99999",
  "INTEL-DOC-7",
  "INTEL",
  "A",
  "AB",
  "A-1",
  "-",
  "0",
  "Z".repeat(31),
  "Z".repeat(30),
];
const CATEGORIES = [
  "BIOS",
  "OS/VMM",
  "",
  "a text of more than thirty-two characters, as there is none",
  "~ !#[]{}",
];

/** Bytes of which most are equal from one call to the next, so that comparisons succeed often. */
const bytes = (next: Random, length: number): Uint8Array =>
  next.chance(0.8)
    ? new Uint8Array(length)
    : Uint8Array.from({ length }, () => (next.chance(0.9) ? 0 : next.below(256)));
const mask = (next: Random, length: number): Uint8Array =>
  Uint8Array.from({ length }, () => (next.chance(0.9) ? 255 : next.below(256)));
const hex = (next: Random, value: Uint8Array): string => {
  const text = Buffer.from(value).toString("hex");
  return next.chance(0.7) ? text.toUpperCase() : text;
};
const svnByte = (next: Random): number => (next.chance(0.6) ? 0 : next.pick([1, 2, 3, 127, 128, 254, 255]));
const svnWord = (next: Random): number => next.pick([0, 1, 2, 5, 255, 256, 65_534, 65_535]);
const list = <T>(next: Random, least: number, most: number, make: () => T): T[] =>
  Array.from({ length: least + next.below(most - least + 1) }, make);

const date = (next: Random): string => {
  const seconds = next.pick([0, 951_782_399, 951_782_400, 1_709_164_800, 4_102_444_799, next.below(2 ** 32)]);
  return `${new Date(1000 * seconds).toISOString().slice(0, 19)}Z`;
};

function level(next: Random, tcb: unknown): unknown {
  const advisoryIDs = list(next, 0, next.chance(0.1) ? 40 : 4, () => next.pick(ADVISORIES));
  return {
    tcb,
    tcbDate: date(next),
    tcbStatus: next.chance(0.4) ? "UpToDate" : next.pick(STATUSES),
    ...(next.chance(0.6) ? { advisoryIDs } : {}),
  };
}

const components = (next: Random): unknown[] =>
  Array.from({ length: 16 }, () => ({
    svn: svnByte(next),
    ...(next.chance(0.7) ? {} : { category: next.pick(CATEGORIES) }),
  })).map((one) => ("category" in one && next.chance(0.5) ? { ...one, type: next.pick(CATEGORIES) } : one));

const isvLevels = (next: Random): unknown[] =>
  list(next, 1, next.chance(0.03) ? 64 : 4, () => level(next, { isvsvn: svnWord(next) }));

const module = (next: Random) => {
  const attributesMask = mask(next, 8);
  // Attributes outside of their mask match nothing.
  const attributes = bytes(next, 8).map((byte, i) => byte & (attributesMask[i] as number));
  return {
    mrsigner: hex(next, bytes(next, 48)),
    attributes: hex(next, attributes),
    attributesMask: hex(next, attributesMask),
  };
};

/** TCB info that Intel might sign, with every edge that its grammar has. */
export function randomTcbInfo(next: Random, id: "TDX" | "SGX"): string {
  const isTdx = id === "TDX";
  const moduleIdentities = list(next, 0, next.chance(0.03) ? 64 : 4, () => ({
    id: `TDX_${next.pick(["01", "02", "03", "0A", "FF", "00"])}`,
    ...module(next),
    tcbLevels: isvLevels(next),
  }));
  return JSON.stringify({
    id,
    version: 3,
    issueDate: date(next),
    nextUpdate: date(next),
    fmspc: hex(next, Uint8Array.from([0x90, 0xc0, 0x6f, 0, 0, next.chance(0.9) ? 0 : 1])),
    pceId: next.chance(0.9) ? "0000" : "0001",
    tcbType: 0,
    tcbEvaluationDataNumber: next.pick([0, 17, 2 ** 32 - 1]),
    ...(isTdx ? { tdxModule: module(next) } : {}),
    ...(isTdx && next.chance(0.9) ? { tdxModuleIdentities: moduleIdentities } : {}),
    tcbLevels: list(next, 1, next.chance(0.02) ? 256 : 8, () =>
      level(next, {
        sgxtcbcomponents: components(next),
        pcesvn: svnWord(next),
        ...(isTdx ? { tdxtcbcomponents: components(next) } : {}),
      }),
    ),
  });
}

/** The identity of a quoting enclave that Intel might sign. */
export function randomQeIdentity(next: Random, id: "TD_QE" | "QE"): string {
  const [miscMask, attributesMask] = [mask(next, 4), mask(next, 16)];
  return JSON.stringify({
    id,
    version: 2,
    issueDate: date(next),
    nextUpdate: date(next),
    tcbEvaluationDataNumber: next.below(2 ** 32),
    miscselect: hex(
      next,
      bytes(next, 4).map((byte, i) => byte & (miscMask[i] as number)),
    ),
    miscselectMask: hex(next, miscMask),
    attributes: hex(
      next,
      bytes(next, 16).map((byte, i) => byte & (attributesMask[i] as number)),
    ),
    attributesMask: hex(next, attributesMask),
    mrsigner: hex(next, bytes(next, 32)),
    isvprodid: next.chance(0.9) ? 2 : svnWord(next),
    tcbLevels: isvLevels(next),
  });
}

/** A platform at or beside one of the document's levels, sometimes with something else wrong. */
export function randomPlatform(next: Random, info: TcbInfo, qe: QeIdentity): Platform {
  const level = next.pick<TcbInfo["tcbLevels"][number]>(info.tcbLevels).tcb;
  const identity =
    info.id === "TDX" && info.tdxModuleIdentities.length > 0 && next.chance(0.6)
      ? next.pick(info.tdxModuleIdentities)
      : undefined;
  const module = identity ?? (info.id === "TDX" ? info.tdxModule : undefined);
  const teeTcbSvn = near(next, level.tdxtcbcomponents ?? new Array<number>(16).fill(0));
  if (next.chance(0.8)) teeTcbSvn[1] = identity ? Number.parseInt(identity.id.slice(4), 16) : 0;
  if (next.chance(0.5)) teeTcbSvn[0] = svnByte(next);
  const rarely = <T>(value: T, other: () => T): T => (next.chance(0.02) ? other() : value);
  const tee = info.id === "TDX" ? "tdx" : "sgx";
  return {
    tee: rarely<Platform["tee"]>(tee, () => (tee === "tdx" ? "sgx" : "tdx")),
    fmspc: rarely(info.fmspc, () => bytes(next, 6)),
    pceId: rarely(info.pceId, () => Uint8Array.of(0, 2)),
    pceSvn: Math.max(0, Math.min(65_535, level.pcesvn + next.pick([0, 0, 0, 1, -1]))),
    sgxSvns: near(next, level.sgxtcbcomponents),
    qe: {
      miscSelect: masked(next, qe.miscselect, qe.miscselectMask),
      attributes: masked(next, qe.attributes, qe.attributesMask),
      mrSigner: rarely(qe.mrsigner, () => mask(next, 32)),
      isvProdId: rarely(qe.isvprodid, () => svnWord(next)),
      isvSvn: next.chance(0.8) ? next.pick(qe.tcbLevels).tcb.isvsvn : svnWord(next),
    },
    teeTcbSvn,
    mrSignerSeam: rarely(module?.mrsigner ?? new Uint8Array(48), () => mask(next, 48)),
    seamAttributes: module ? masked(next, module.attributes, module.attributesMask) : new Uint8Array(8),
  };
}

/** Each SVN of a level, now and then one more or less. */
const near = (next: Random, svns: readonly number[]): Uint8Array => {
  const byte = Uint8Array.from(svns);
  if (next.chance(0.5)) {
    const i = next.below(16);
    byte[i] = Math.max(0, Math.min(255, (byte[i] as number) + next.pick([1, -1])));
  }
  return byte;
};

/** What matches under the mask: the expected bits, and any where the mask has none; sometimes one bit is wrong. */
const masked = (next: Random, expected: Uint8Array, allowed: Uint8Array): Uint8Array => {
  const value = expected.map((byte, i) => byte | (next.below(256) & ~(allowed[i] as number)));
  if (next.chance(0.02)) value[0] = (value[0] as number) ^ (1 << next.below(8));
  return value;
};
