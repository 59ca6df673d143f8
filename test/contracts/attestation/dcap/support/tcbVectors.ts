import type { Certificate } from "../../../../../protocol/der/certificate.ts";
import { chainOf } from "../../../../../protocol/evidence/dcap/collateral.ts";
import { parseQuote } from "../../../../../protocol/evidence/dcap/parseQuote.ts";
import { readPckExtensions } from "../../../../../protocol/evidence/dcap/pckExtensions.ts";
import { issueCollateral, type Tee } from "../../../../../worker/tee/simulator/collateral.ts";
import { createTestPki } from "../../../../../worker/tee/simulator/pki.ts";
import { vector, vectorJson } from "../../../../support/vectors.ts";
import type { Platform } from "./tcbTwin.ts";

/** The two documents that judge one kind of platform: exact signed texts. */
export interface TcbDocuments {
  readonly tcbInfo: string;
  readonly qeIdentity: string;
}

const AUTOMATA = "tdx/automata-v4";
export const VECTOR_NAMES = [
  "tdx/dstack-2026-02",
  "tdx/dcap-qvl-2025-06",
  "tdx/dcap-qvl-out-of-date",
  AUTOMATA,
  "sgx/dcap-qvl",
] as const;
export type VectorName = (typeof VECTOR_NAMES)[number];

/** Intel's documents of a vector. */
export function vectorDocuments(name: VectorName): TcbDocuments {
  if (name !== AUTOMATA) {
    const { tcb_info, qe_identity } = vectorJson(`${name}/collateral.json`) as Record<string, string>;
    return { tcbInfo: tcb_info as string, qeIdentity: qe_identity as string };
  }
  // As Intel's service answers: the signed object is the value of the first key, the signature that of the last.
  const inner = (file: string): string =>
    /^\{"\w+":(\{.*\}),"signature":"[0-9a-f]{128}"\}\s*$/.exec(
      vector(`${AUTOMATA}/${file}`).toString(),
    )?.[1] ?? "";
  return {
    tcbInfo: inner("tcb_info_v3_with_tdx_module.json"),
    qeIdentity: inner("qe_identity.json"),
  };
}

const QUOTES: Readonly<Record<VectorName, () => Uint8Array>> = {
  "tdx/dstack-2026-02": () =>
    Buffer.from((vectorJson("tdx/dstack-2026-02/quote-report.json") as { quote: string }).quote, "hex"),
  "tdx/dcap-qvl-2025-06": () => vector("tdx/dcap-qvl-2025-06/quote.bin"),
  "tdx/dcap-qvl-out-of-date": () => vector("tdx/dcap-qvl-out-of-date/quote.bin"),
  [AUTOMATA]: () => vector(`${AUTOMATA}/quote_tdx.bin`),
  "sgx/dcap-qvl": () => vector("sgx/dcap-qvl/quote.bin"),
};

/** The platform that a vector's quote speaks of. */
export function vectorPlatform(name: VectorName): Platform {
  const { report, qeReport: qe, pckChain } = parseQuote(QUOTES[name]());
  const pck = readPckExtensions(chainOf(pckChain)[0] as Certificate);
  const td = report.kind === "tdx" ? report : undefined;
  return {
    ...pck,
    tee: report.kind,
    sgxSvns: Uint8Array.from(pck.sgxSvns),
    qe,
    teeTcbSvn: td?.teeTcbSvn ?? new Uint8Array(16),
    mrSignerSeam: td?.mrSignerSeam ?? new Uint8Array(48),
    seamAttributes: td?.seamAttributes ?? new Uint8Array(8),
  };
}

/** The simulated vendor's documents. */
export function simulatedDocuments(tee: Tee): TcbDocuments {
  const { tcb_info, qe_identity } = issueCollateral(createTestPki(), { at: 1_770_000_000, tee });
  return { tcbInfo: tcb_info, qeIdentity: qe_identity };
}
