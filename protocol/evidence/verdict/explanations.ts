import type { Explanation, Explanations } from "./explain.ts";
import { NITRO_DOCUMENTS, SNP } from "./explainAmdAndAws.ts";
import { ADMISSION, BOOT_LOGS, EVENT_LOGS, EVERY_KIND } from "./explainGuest.ts";
import { INTEL } from "./explainIntel.ts";
import { GPU_REPORTS, MANIFESTS, NRAS_TOKENS, OCSP_RESPONSES } from "./explainNvidia.ts";

/** Checks in the order of the groups in docs/evidence.md; within a group in the order in which they run. */
export const EXPLANATION_GROUPS: Readonly<Record<string, Explanations>> = {
  "Every kind": EVERY_KIND,
  "Intel quotes (TDX and SGX)": INTEL,
  "Guests that keep an event log": EVENT_LOGS,
  "What relayer and signers admit": ADMISSION,
  "Boot logs (CCEL)": BOOT_LOGS,
  "AMD SEV-SNP reports": SNP,
  "AWS Nitro documents": NITRO_DOCUMENTS,
  "NVIDIA GPU reports": GPU_REPORTS,
  "Tokens of NVIDIA's service": NRAS_TOKENS,
  "NVIDIA's OCSP responses": OCSP_RESPONSES,
  "NVIDIA's manifests": MANIFESTS,
};

/** The same by the check's name. */
export const EXPLANATIONS: Readonly<Record<string, Explanation | undefined>> = Object.assign(
  Object.create(null) as Record<string, Explanation>,
  ...Object.values(EXPLANATION_GROUPS),
) as Readonly<Record<string, Explanation | undefined>>;
