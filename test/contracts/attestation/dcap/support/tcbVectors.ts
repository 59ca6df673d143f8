import { issueCollateral, type Tee } from "../../../../../worker/tee/simulator/collateral.ts";
import { createTestPki } from "../../../../../worker/tee/simulator/pki.ts";
import { vector, vectorJson } from "../../../../support/vectors.ts";

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

/** Intel's documents of a vector. */
export function vectorDocuments(name: (typeof VECTOR_NAMES)[number]): TcbDocuments {
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

/** The simulated vendor's documents. */
export function simulatedDocuments(tee: Tee): TcbDocuments {
  const { tcb_info, qe_identity } = issueCollateral(createTestPki(), { at: 1_770_000_000, tee });
  return { tcbInfo: tcb_info, qeIdentity: qe_identity };
}
