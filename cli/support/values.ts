import { InvalidArgumentError } from "commander";

import { CharterError } from "../../protocol/errors/CharterError.ts";
import { padded } from "../../protocol/policy/endorsements.ts";
import { SettingKind } from "../../protocol/policy/settingKind.ts";
import { advisoryKey, numberKey, ZERO_KEY } from "../../protocol/policy/settings.ts";
import { Level, nameOf, ProofSystem, TcbStatus, TeeKind } from "../../protocol/words/enums.ts";
import {
  parseAddress,
  parseBytes32,
  parseHex,
  type Address,
  type Bytes32,
  type Hex,
} from "../../protocol/words/hex.ts";

/** Option parsers for commander: a wrong value is a usage error that says what was expected. */
const checked =
  <T>(parse: (text: string) => T) =>
  (text: string): T => {
    try {
      return parse(text);
    } catch (error) {
      throw new InvalidArgumentError(
        error instanceof CharterError ? error.message : "expected another value",
      );
    }
  };

export const addressOption = checked((text) => parseAddress(text));
/** A Governor's address, or the word for the address book's. */
export const governorOption = (text: string): Address | "deployment" =>
  text === "deployment" ? text : addressOption(text);
export const bytes32Option = checked((text) => parseBytes32(text));
export const hexOption = checked((text) => parseHex(text));

/** An ISO time, or unix seconds. */
export function timeOption(text: string): number {
  const seconds = /^\d{1,12}$/.test(text) ? Number(text) : Math.floor(Date.parse(text) / 1000);
  if (Number.isNaN(seconds)) throw new InvalidArgumentError("expected an ISO time or unix seconds");
  return seconds;
}

/** FMSPC of a family of platforms: 12 hex digits, with 0x or without. */
export function fmspcOption(text: string): Hex {
  if (!/^(0x)?[0-9a-fA-F]{12}$/.test(text))
    throw new InvalidArgumentError("expected an FMSPC: 12 hex digits");
  return `0x${text.slice(-12).toLowerCase()}`;
}

/** on or off. */
export function switchOption(text: string): boolean {
  if (text !== "on" && text !== "off") throw new InvalidArgumentError("expected on or off");
  return text === "on";
}

/** Member of an endorsement's list: a platform id, or an operator's address as the contract holds it. */
export const memberOption = (text: string): Bytes32 =>
  text.length === 42 ? padded(addressOption(text)) : bytes32Option(text);

/** For options that may be given more than once. */
export const repeat =
  <T>(parse: (text: string) => T) =>
  (text: string, previous: T[] | undefined): T[] => [...(previous ?? []), parse(text)];

const wordOf =
  (words: Record<string, number>, what: string) =>
  (text: string): number => {
    const name = Object.keys(words).find((key) => key.toLowerCase() === text.toLowerCase());
    if (name === undefined || name === "None" || name === "Unknown") {
      throw new InvalidArgumentError(`expected a ${what}: ${Object.keys(words).slice(1).join(", ")}`);
    }
    return words[name] as number;
  };

export const teeKindOption = wordOf(TeeKind, "TEE kind");
export const tcbStatusOption = wordOf(TcbStatus, "TCB status");
export const proofSystemOption = wordOf(ProofSystem, "proof system");

export function levelOption(text: string): number {
  const name = Object.keys(Level).find((key) => key.toLowerCase() === text.toLowerCase());
  if (name === undefined || name === "Open") {
    throw new InvalidArgumentError("expected a level: Noticed, Sealed, RevokeOnly, Frozen");
  }
  return Level[name as keyof typeof Level];
}

export function wholeNumber(text: string): number {
  if (!/^\d{1,10}$/.test(text)) throw new InvalidArgumentError("expected a whole number");
  return Number(text);
}

/** Version of a secret: milliseconds of a clock, as a rule. */
export function counterOption(text: string): number {
  if (!/^\d{1,16}$/.test(text) || !Number.isSafeInteger(Number(text))) {
    throw new InvalidArgumentError("expected a whole number below 2^53");
  }
  return Number(text);
}

/** A Governor's proposal id: decimal, or 0x and hex digits. */
export function proposalOption(text: string): bigint {
  if (!/^(\d{1,78}|0x[0-9a-fA-F]{1,64})$/.test(text)) {
    throw new InvalidArgumentError("expected a proposal id: decimal, or 0x and hex digits");
  }
  return BigInt(text);
}

const SUPPORT = ["against", "for", "abstain"];

/** A vote's number as GovernorCountingSimple counts it. */
export function supportOption(text: string): number {
  const support = SUPPORT.indexOf(text.toLowerCase());
  if (support < 0) throw new InvalidArgumentError("expected for, against or abstain");
  return support;
}

/** `<osImageHash>:<measurementDigest>`. */
export function osImageOption(text: string): { hash: Bytes32; digest: Bytes32 } {
  const [hash, digest, ...rest] = text.split(":");
  if (!hash || !digest || rest.length > 0)
    throw new InvalidArgumentError("expected <osImageHash>:<measurementDigest>");
  return { hash: bytes32Option(hash), digest: bytes32Option(digest) };
}

/** Which entry, as the contract names it. */
export interface EntryName {
  readonly kind: number;
  readonly key: Bytes32;
}

/** One entry as the contract takes it. */
export interface SettingTuple extends EntryName {
  readonly value: bigint;
}

const WORDS: Partial<Record<keyof typeof SettingKind, Record<string, number>>> = {
  TeeKind,
  TcbStatus,
  TcbStatusUntil: TcbStatus,
  ProofSystem,
};

/**
 * `Kind=value` (Notice, Grace, AnyNode, MaxEvidenceAge, AcceptBootInfo) or `Kind:key=value` (TeeKind:Tdx=1,
 * OsImage:0x…=0x…, Node:0x…=1, Advisory:INTEL-SA-00614=1893456000, Rebuilder:0x…=1).
 */
export function settingOption(text: string): SettingTuple {
  const match = /^([^=]+)=(\d{1,78}|0x[0-9a-fA-F]{1,64})$/.exec(text);
  if (!match) throw new InvalidArgumentError(`expected Kind=value or Kind:key=value with one of ${kinds()}`);
  return { ...entryOption(match[1] as string), value: BigInt(match[2] as string) };
}

/** `Kind` or `Kind:key`. */
export function entryOption(text: string): EntryName {
  const match = /^(\w+)(?::([^=:]+))?$/.exec(text);
  const kindName = match?.[1] as keyof typeof SettingKind | undefined;
  if (!match || !kindName || !Object.hasOwn(SettingKind, kindName) || kindName === "None") {
    throw new InvalidArgumentError(`expected Kind or Kind:key with one of ${kinds()}`);
  }
  return {
    kind: SettingKind[kindName],
    key: match[2] === undefined ? ZERO_KEY : settingKeyOf(kindName, match[2]),
  };
}

function settingKeyOf(kind: keyof typeof SettingKind, text: string): Bytes32 {
  const words = WORDS[kind];
  // An advisory goes by its name, a rebuilder by its address; what lists print is accepted as well.
  if (kind === "Advisory" && !text.startsWith("0x")) return advisoryKey(text);
  if (kind === "Rebuilder" && text.length === 42) return padded(addressOption(text));
  return words ? numberKey(wordOf(words, kind)(text)) : bytes32Option(text);
}

const kinds = (): string => Object.keys(SettingKind).slice(1).join(", ");

/** An entry's name for people: "TeeKind Tdx". */
export function entryText(kind: number, key: Bytes32): string {
  const name = nameOf(SettingKind, kind);
  const words = WORDS[name];
  return name + (words ? ` ${nameOf(words, Number(BigInt(key)))}` : key === ZERO_KEY ? "" : ` ${key}`);
}

/** An entry for people: "TeeKind Tdx = 1". */
export function settingText(kind: number, key: Bytes32, value: bigint): string {
  const name = nameOf(SettingKind, kind);
  const isHash = name === "OsImage" || name === "Endorsement";
  const valueText = isHash && value !== 0n ? `0x${value.toString(16).padStart(64, "0")}` : value.toString();
  return `${entryText(kind, key)} = ${valueText}`;
}

export type { Address };
