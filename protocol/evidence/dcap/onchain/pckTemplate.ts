import { parseCertificate, type Certificate } from "../../../der/certificate.ts";
import { DerError, DerReader, readOnly, Tag } from "../../../der/DerReader.ts";
import { fromHex, toHex } from "../../../words/hex.ts";

const SGX = "1.2.840.113741.1.13.1";
/** The identifier's content, and what stands below it. */
const SGX_ID = "2a864886f84d010d01";

/** Hex of an element: tag, length, content. */
const tlv = (tag: string, ...content: readonly string[]): string => {
  const text = content.join("");
  const length = text.length / 2;
  const size = length < 0x80 ? "" : length < 0x100 ? "81" : "82";
  return tag + size + length.toString(16).padStart(length < 0x100 ? 2 : 4, "0") + text;
};
const sequence = (...content: readonly string[]): string => tlv("30", ...content);
const octets = (content: string): string => tlv("04", content);
const integer = (value: bigint): string => {
  const text = value.toString(16);
  const whole = text.length % 2 === 0 ? text : `0${text}`;
  return tlv("02", parseInt(whole.slice(0, 2), 16) < 0x80 ? whole : `00${whole}`);
};
const utf8 = (text: string): string => tlv("0c", latin1(text));
const latin1 = (text: string): string =>
  toHex(Uint8Array.from(text, (character) => character.charCodeAt(0))).slice(2);
/** 2.5.4.n of a name. */
const attribute = (n: string, value: string): string => tlv("31", sequence(tlv("06", `5504${n}`), value));
const country = attribute("06", tlv("13", latin1("US")));
/** 2.5.29.n. */
const extension = (n: string, value: string, critical = ""): string =>
  sequence(tlv("06", `551d${n}`), critical, octets(value));
const sgxEntry = (id: string, value: string): string => sequence(tlv("06", SGX_ID + id), value);

/** Who issues: the attributes behind the common name, and whether certificates say where their CRL is. */
const VENDORS = [
  {
    attributes:
      attribute("0a", utf8("Intel Corporation")) +
      attribute("07", utf8("Santa Clara")) +
      attribute("08", utf8("CA")) +
      country,
    hasPoint: true,
  },
  { attributes: attribute("0a", utf8("Charter simulated TEE, no vendor")) + country, hasPoint: false },
];
const URI = "https://api.trustedservices.intel.com/sgx/certification/v4/pckcrl?ca=";
const CRITICAL = "0101ff";

/** The fields, hex each, in the order of PckTemplate.sol. */
interface Fields {
  readonly ca: 1 | 2;
  readonly serial: bigint;
  readonly validity: string;
  readonly key: string;
  readonly authorityKey: string;
  readonly subjectKey: string;
  readonly ppid: string;
  readonly svns: readonly number[];
  readonly pceSvn: bigint;
  readonly cpuSvn: string;
  readonly pceId: string;
  readonly fmspc: string;
  readonly sgxType: string;
  readonly instance: string;
  /** Contents of the three BOOLEANs. */
  readonly configuration: readonly string[];
}

/** The signed part that PckTemplate.sol writes around these fields. */
function signedPart(fields: Fields, { attributes, hasPoint }: (typeof VENDORS)[number]): string {
  const isPlatform = fields.ca === 1;
  const name = (common: string): string => sequence(attribute("03", utf8(common)), attributes);
  const uri = tlv("86", latin1(`${URI}${isPlatform ? "platform" : "processor"}&encoding=der`));
  const svn = (n: number, value: bigint): string =>
    sgxEntry(`02${n.toString(16).padStart(2, "0")}`, integer(value));
  const setting = (content: string, i: number): string => sgxEntry(`070${i + 1}`, tlv("01", content));
  return sequence(
    "a003020102",
    integer(fields.serial),
    "300a06082a8648ce3d040302",
    name(isPlatform ? "Intel SGX PCK Platform CA" : "Intel SGX PCK Processor CA"),
    sequence(fields.validity),
    name("Intel SGX PCK Certificate"),
    `3059301306072a8648ce3d020106082a8648ce3d03010703420004${fields.key}`,
    tlv(
      "a3",
      sequence(
        extension("23", sequence(tlv("80", fields.authorityKey))),
        hasPoint ? extension("1f", sequence(sequence(tlv("a0", tlv("a0", uri))))) : "",
        extension("0e", octets(fields.subjectKey)),
        extension("0f", "030206c0", CRITICAL),
        extension("13", "3000", CRITICAL),
        sequence(
          tlv("06", SGX_ID),
          octets(
            sequence(
              sgxEntry("01", octets(fields.ppid)),
              sgxEntry(
                "02",
                sequence(
                  ...fields.svns.map((value, i) => svn(i + 1, BigInt(value))),
                  svn(17, fields.pceSvn),
                  sgxEntry("0212", octets(fields.cpuSvn)),
                ),
              ),
              sgxEntry("03", octets(fields.pceId)),
              sgxEntry("04", octets(fields.fmspc)),
              sgxEntry("05", tlv("0a", fields.sgxType)),
              ...(isPlatform
                ? [
                    sgxEntry("06", octets(fields.instance)),
                    sgxEntry("07", sequence(...fields.configuration.map(setting))),
                  ]
                : []),
            ),
          ),
        ),
      ),
    ),
  );
}

/** Content of each entry's value, in their order. */
function sgxEntries(value: Uint8Array | undefined): Uint8Array[] {
  const list = readOnly(value ?? new Uint8Array(), Tag.Sequence);
  const contents: Uint8Array[] = [];
  while (!list.isAtEnd) {
    const entry = list.enter(Tag.Sequence);
    entry.read(Tag.ObjectId);
    contents.push(entry.readAny().content);
  }
  return contents;
}

/** The integers among the components of TCB. */
function integersOf(tcb: Uint8Array = new Uint8Array()): bigint[] {
  const list = new DerReader(tcb);
  const values: bigint[] = [];
  while (!list.isAtEnd) {
    const component = list.enter(Tag.Sequence);
    component.read(Tag.ObjectId);
    const value = component.readOptional(Tag.Integer);
    if (value) values.push(BigInt(toHex(value.content)));
  }
  return values;
}

/** UTCTime, the form of dates before 2050. */
const utcTime = (seconds: number): string => {
  const digits = new Date(seconds * 1000).toISOString().slice(2, 19).replaceAll(/[-:T]/g, "");
  return tlv("17", latin1(`${digits}Z`));
};

const hexOf = (bytes: Uint8Array | undefined, from = 0, to?: number): string =>
  toHex((bytes ?? new Uint8Array()).subarray(from, to)).slice(2);

function fieldsOf({ serial, notBefore, notAfter, publicKey, extensions }: Certificate): Fields {
  const entries = sgxEntries(extensions.get(SGX));
  const [ppid, tcb, pceId, fmspc, sgxType, instance, configuration] = entries;
  const svns = integersOf(tcb);
  return {
    ca: entries.length === 5 ? 2 : 1,
    serial: BigInt(serial),
    validity: utcTime(notBefore) + utcTime(notAfter),
    key: hexOf(publicKey),
    authorityKey: hexOf(extensions.get("2.5.29.35"), 4),
    subjectKey: hexOf(extensions.get("2.5.29.14"), 2),
    ppid: hexOf(ppid),
    svns: svns.slice(0, 16).map(Number),
    pceSvn: svns[16] ?? 0n,
    cpuSvn: hexOf(tcb, -16),
    pceId: hexOf(pceId),
    fmspc: hexOf(fmspc),
    sgxType: hexOf(sgxType),
    instance: hexOf(instance),
    configuration: [17, 35, 53].map((at) => hexOf(configuration, at, at + 1)),
  };
}

const fixed = (value: bigint, bytes: number): string => value.toString(16).padStart(2 * bytes, "0");

/**
 * The fields of a PCK certificate of the usual form: 297 bytes of the Platform CA's, 278 of the Processor CA's. From them
 * the chain writes the certificate's signed part anew (PckTemplate.sol). `null` for a certificate of any other form,
 * which must come whole. @throws DerError where this is no certificate.
 */
export function pckFields(der: Uint8Array): Uint8Array | null {
  const certificate = parseCertificate(der);
  let fields: Fields;
  try {
    fields = fieldsOf(certificate);
  } catch (error) {
    if (error instanceof DerError) return null;
    throw error;
  }
  const tbs = hexOf(certificate.tbs);
  if (!VENDORS.some((vendor) => signedPart(fields, vendor) === tbs)) return null;
  const text = [
    `0${fields.ca}`,
    fixed(fields.serial, 20),
    ...[fields.validity, fields.key, fields.authorityKey, fields.subjectKey, fields.ppid],
    hexOf(Uint8Array.from(fields.svns)),
    fixed(fields.pceSvn, 2),
    ...[fields.cpuSvn, fields.pceId, fields.fmspc, fields.sgxType, hexOf(certificate.signature)],
    ...(fields.ca === 1 ? [fields.instance, ...fields.configuration] : []),
  ].join("");
  return text.length === 2 * (fields.ca === 1 ? 297 : 278) ? fromHex(`0x${text}`) : null;
}
