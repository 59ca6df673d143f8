import type { Certificate } from "../../der/certificate.ts";
import { DerError, DerReader, Tag } from "../../der/DerReader.ts";
import { readSmall } from "../../der/values.ts";
import type { SnpProduct } from "./amdRoots.ts";
import type { SnpSigner } from "./parseReport.ts";
import type { SnpTcb } from "./snpTcb.ts";

/** What AMD says of a platform in its VCEK, or of a provider's key in its VLEK certificate. */
export interface LeafExtensions {
  readonly kind: SnpSigner;
  /** E.g. "Milan-B0"; a VLEK's has no stepping. */
  readonly productName: string;
  readonly product: SnpProduct;
  readonly tcb: SnpTcb;
  /** VCEK: 64 bytes, of Turin 8. */
  readonly hwid: Uint8Array | null;
  /** VLEK: whom AMD gave the key. */
  readonly cspId: string | null;
}

const AMD = "1.3.6.1.4.1.3704.1";
const IA5 = 0x16;
const PRODUCTS = new Set<string>(["Milan", "Genoa", "Turin"]);
const MAX_NAME = 64;
const RESERVED_SPLS: Readonly<Record<SnpProduct, readonly number[]>> = {
  Milan: [4, 5, 6, 7],
  Genoa: [4, 5, 6, 7],
  Turin: [5, 6, 7],
};

/**
 * Reads AMD's extensions of a leaf (VCEK Certificate and KDS Interface 57230, tables of X.509 extensions). Each stands
 * once (the certificate's reader sees to it); hardware id and provider's id exclude each other. @throws DerError.
 */
export function readLeafExtensions({ extensions }: Certificate): LeafExtensions {
  const field = (suffix: string): Uint8Array => {
    const value = extensions.get(`${AMD}.${suffix}`);
    if (!value) throw new DerError(`extension ${AMD}.${suffix}`, 0);
    return value;
  };
  const optional = (suffix: string): Uint8Array | null => extensions.get(`${AMD}.${suffix}`) ?? null;
  readByte(field("1")); // Version of this set; no rule depends on it.
  const productName = readText(field("2"));
  const product = productName.split("-")[0] as SnpProduct;
  if (!PRODUCTS.has(product)) throw new DerError("a product name of Milan, Genoa or Turin", 0);

  const hwid = optional("4");
  const csp = optional("5");
  if ((hwid === null) === (csp === null)) {
    throw new DerError("a hardware id (VCEK) or a provider's id (VLEK), and not both", 0);
  }
  // KDS writes the hardware id as it is, without a tag of its own.
  const size = product === "Turin" ? 8 : 64;
  if (hwid && hwid.length !== size) throw new DerError(`a hardware id of ${size} bytes`, 0);

  const spl = (number: number): number => readByte(field(`3.${number}`));
  for (const number of RESERVED_SPLS[product]) {
    if (spl(number) !== 0) throw new DerError(`zero as reserved SPL ${number}`, 0);
  }
  const tcb = { bootloader: spl(1), tee: spl(2), snp: spl(3), microcode: spl(8) };
  return {
    kind: hwid ? "VCEK" : "VLEK",
    productName,
    product,
    tcb: { fmc: product === "Turin" ? spl(9) : 0, ...tcb },
    hwid,
    cspId: csp && readText(csp),
  };
}

/** INTEGER from 0 to 255. */
function readByte(value: Uint8Array): number {
  const reader = new DerReader(value);
  const number = readSmall(reader, Tag.Integer);
  reader.end();
  if (number > 255) throw new DerError("an integer of one byte", 0);
  return number;
}

/** IA5String of printable characters. */
function readText(value: Uint8Array): string {
  const reader = new DerReader(value);
  const { content } = reader.read(IA5);
  reader.end();
  const isPrintable = content.every((byte) => byte >= 0x20 && byte < 0x7f);
  if (!isPrintable || content.length === 0 || content.length > MAX_NAME) {
    throw new DerError(`1 to ${MAX_NAME} printable characters`, 0);
  }
  return new TextDecoder().decode(content);
}
