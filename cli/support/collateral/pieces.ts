import { parseCertificate } from "../../../protocol/der/certificate.ts";
import { parseCrl } from "../../../protocol/der/crl.ts";
import { splitPem } from "../../../protocol/der/pem.ts";
import { parseCollateral, type CollateralMessage } from "../../../protocol/evidence/index.ts";
import {
  collateralCalls,
  type CollateralCall,
} from "../../../protocol/evidence/dcap/onchain/collateralCalls.ts";
import { signedDocument } from "../../../protocol/evidence/dcap/pcsAnswers.ts";
import { fromHex, toHex } from "../../../protocol/words/hex.ts";
import { readBytes } from "../context.ts";
import { readJson } from "../jsonFile.ts";

/** One piece of collateral as DcapCollateral takes it, with a name for people. */
export interface Piece {
  readonly name: string;
  readonly call: CollateralCall;
}

/** Files of single pieces, as Intel's service answers them. */
export interface PieceFiles {
  readonly crl?: readonly string[];
  readonly certificate?: readonly string[];
  readonly tcbInfo?: readonly string[];
  readonly identity?: readonly string[];
}

const NAMES = [
  "root CRL",
  "PCK CA certificate",
  "TCB signer's certificate",
  "PCK CRL",
  "QE identity",
  "TCB info",
];

/** All pieces of a set, in the order that the contract needs. @throws CharterError `collateral/malformed`. */
export function piecesOfSet(message: CollateralMessage): readonly Piece[] {
  parseCollateral(message);
  return collateralCalls(message).map((call, i) => ({ name: NAMES[i] as string, call }));
}

/** A set from a file in the JSON form that `charter verify --collateral` takes. */
export const piecesOfFile = (path: string): readonly Piece[] =>
  piecesOfSet(readJson(path) as CollateralMessage);

/** Single pieces, CRLs before certificates before what these sign. @throws CharterError of the parsers. */
export function piecesOfFiles({
  crl = [],
  certificate = [],
  tcbInfo = [],
  identity = [],
}: PieceFiles): readonly Piece[] {
  return [
    ...crl.map((path): Piece => {
      const der = derOf(path);
      parseCrl(der);
      return { name: path, call: { functionName: "putCrl", args: [toHex(der)] } };
    }),
    ...certificate.map((path): Piece => {
      const der = derOf(path);
      parseCertificate(der);
      return { name: path, call: { functionName: "putCertificate", args: [toHex(der)] } };
    }),
    ...identity.map((path) => documentPiece(path, "enclaveIdentity", "putQeIdentity")),
    ...tcbInfo.map((path) => documentPiece(path, "tcbInfo", "putTcbInfo")),
  ];
}

function documentPiece(
  path: string,
  name: "tcbInfo" | "enclaveIdentity",
  functionName: "putTcbInfo" | "putQeIdentity",
): Piece {
  const { text, signature } = signedDocument(name, { url: path, bytes: readBytes(path) });
  return {
    name: path,
    call: { functionName, args: [toHex(new TextEncoder().encode(text)), `0x${signature}`] },
  };
}

/** DER, or PEM, or DER as hex. */
function derOf(path: string): Uint8Array {
  const bytes = Uint8Array.from(readBytes(path));
  const text = new TextDecoder("latin1").decode(bytes).trim();
  if (text.startsWith("-----BEGIN CERTIFICATE-----")) return splitPem(text)[0] as Uint8Array;
  return /^(?:0x)?30(?:[0-9a-fA-F]{2})+$/.test(text) ? fromHex(`0x${text.replace(/^0x/, "")}`) : bytes;
}
