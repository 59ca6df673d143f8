import type { Certificate } from "../../der/certificate.ts";
import { DerError, readOnly, Tag, type DerReader } from "../../der/DerReader.ts";
import { readObjectId, readSmall } from "../../der/values.ts";

/** What Intel says of a platform in its PCK certificate (SGX PCK Certificate specification §1.3.5). */
export interface PckExtensions {
  readonly ppid: Uint8Array;
  readonly sgxSvns: readonly number[];
  readonly pceSvn: number;
  readonly pceId: Uint8Array;
  readonly fmspc: Uint8Array;
}

const SGX = "1.2.840.113741.1.13.1";

/** Reads the SGX extensions; each may stand once, and PPID, TCB, PCEID and FMSPC must. @throws DerError. */
export function readPckExtensions(certificate: Certificate): PckExtensions {
  const value = certificate.extensions.get(SGX);
  if (!value) throw new DerError("the SGX extensions of a PCK certificate", 0);
  const fields = new Map<string, DerReader>();
  const list = readOnly(value, Tag.Sequence);
  while (!list.isAtEnd) {
    const entry = list.enter(Tag.Sequence);
    const id = readObjectId(entry);
    if (fields.has(id)) throw new DerError("each SGX extension once", 0);
    fields.set(id, entry);
  }
  const field = (suffix: number): DerReader => {
    const reader = fields.get(`${SGX}.${suffix}`);
    if (!reader) throw new DerError(`SGX extension ${suffix}`, 0);
    return reader;
  };
  const tcb = readTcb(field(2));
  return {
    ppid: readOctets(field(1), 16),
    ...tcb,
    pceId: readOctets(field(3), 2),
    fmspc: readOctets(field(4), 6),
  };
}

/** TCB: sixteen component SVNs, PCESVN, CPUSVN, in this order. */
function readTcb(entry: DerReader): { sgxSvns: number[]; pceSvn: number } {
  const list = entry.enter(Tag.Sequence);
  entry.end();
  const sgxSvns: number[] = [];
  for (let component = 1; component <= 16; component++) {
    const svn = readSvn(list, component);
    if (svn > 255) throw new DerError("an SVN of one byte", 0);
    sgxSvns.push(svn);
  }
  const pceSvn = readSvn(list, 17);
  if (pceSvn > 65_535) throw new DerError("a PCESVN of two bytes", 0);
  readOctets(tcbComponent(list, 18), 16);
  list.end();
  return { sgxSvns, pceSvn };
}

function readSvn(list: DerReader, number: number): number {
  const entry = tcbComponent(list, number);
  const svn = readSmall(entry);
  entry.end();
  return svn;
}

function tcbComponent(list: DerReader, number: number): DerReader {
  const entry = list.enter(Tag.Sequence);
  if (readObjectId(entry) !== `${SGX}.2.${number}`) throw new DerError(`TCB component ${number}`, 0);
  return entry;
}

function readOctets(entry: DerReader, length: number): Uint8Array {
  const { content } = entry.read(Tag.OctetString);
  entry.end();
  if (content.length !== length) throw new DerError(`${length} bytes`, 0);
  return content;
}
