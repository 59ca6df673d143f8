import { isZero } from "../../words/bytes.ts";
import { toHex } from "../../words/hex.ts";
import { ByteReader } from "../ByteReader.ts";
import { EvidenceError } from "../EvidenceError.ts";
import type { SnpCertificates } from "./amdChain.ts";
import type { SnpSigner } from "./parseReport.ts";

/** GUIDs of the table, in the byte order of their text (GHCB 56421, "SNP Extended Guest Request"). */
const GUIDS = {
  VCEK: "0x63da758de6644564adc5f4b93be8accd",
  VLEK: "0xa8074bc2a25a483eaae639c045a0b8a1",
  ask: "0x4ab7b379bbac4fe4a02f05aef327c782",
  ark: "0xc0b406a4a803495297433fb6014cd0ae",
} as const;

const ENTRY_BYTES = 24;
const MAX_ENTRIES = 10;
/** Largest table that is looked at. */
export const MAX_TABLE_BYTES = 65_536;

/**
 * What the kernel's table (SNP_GUEST_REQUEST, extended; configfs-tsm's `auxblob`) holds for a report of this signer: a host
 * may leave out any of it. ASK and ASVK share a GUID. Entries of other GUIDs are not read; nothing of the table is trusted
 * here. @throws EvidenceError `evidence/snp-certificate-table`: entries out of bounds, overlapping or twice, no end.
 */
export function readCertificateTable(table: Uint8Array, signer: SnpSigner): Partial<SnpCertificates> {
  expected(table.length <= MAX_TABLE_BYTES, `at most ${MAX_TABLE_BYTES} bytes`, table.length);
  const entries = readEntries(table);
  const certificate = (name: "leaf" | "ask" | "ark", guid: string): Partial<SnpCertificates> => {
    const entry = entries.find((one) => one.guid === guid);
    return entry ? { [name]: table.subarray(entry.from, entry.until) } : {};
  };
  return {
    ...certificate("leaf", GUIDS[signer]),
    ...certificate("ask", GUIDS.ask),
    ...certificate("ark", GUIDS.ark),
  };
}

/**
 * The table's certificates, all three of them. @throws EvidenceError `evidence/snp-certificate-table` as above, and where
 * one is missing.
 */
export function certificatesOfTable(table: Uint8Array, signer: SnpSigner): SnpCertificates {
  const { leaf, ask, ark } = readCertificateTable(table, signer);
  if (!leaf) throw refused(`an entry for ${signer}`, GUIDS[signer]);
  if (!ask) throw refused(`an entry for ${signer === "VCEK" ? "ASK" : "ASVK"}`, GUIDS.ask);
  if (!ark) throw refused("an entry for ARK", GUIDS.ark);
  return { leaf, ask, ark };
}

interface Entry {
  readonly guid: string;
  readonly from: number;
  readonly until: number;
}

function readEntries(table: Uint8Array): Entry[] {
  const reader = new ByteReader(table);
  const entries: Entry[] = [];
  for (;;) {
    expected(reader.remaining >= ENTRY_BYTES, "an entry of zeros at the end", reader.offset);
    const guid = reader.take(16, "GUID");
    const from = reader.u32("offset");
    const until = from + reader.u32("length");
    if (isZero(guid)) {
      expected(until === 0, "zeros in the last entry", until);
      break;
    }
    expected(entries.length < MAX_ENTRIES, `at most ${MAX_ENTRIES} entries`, entries.length);
    entries.push({ guid: toHex(guid), from, until });
  }
  let end = reader.offset;
  for (const { from, until } of entries.toSorted((a, b) => a.from - b.from)) {
    expected(from >= end && until > from && until <= table.length, "entries side by side inside it", from);
    end = until;
  }
  expected(
    new Set(entries.map(({ guid }) => guid)).size === entries.length,
    "each GUID once",
    entries.length,
  );
  return entries;
}

function expected(ok: boolean, what: string, actual: number): void {
  if (!ok) throw refused(what, actual);
}

const refused = (what: string, actual: number | string): EvidenceError =>
  new EvidenceError("snp-certificate-table", `expected ${what}`, { expected: what, actual });
