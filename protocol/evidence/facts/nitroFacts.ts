import { EvidenceError } from "../EvidenceError.ts";
import { quoteBytes } from "../dcap/quoteBytes.ts";
import type { Evidence } from "../evidence.ts";
import { verifyNitro, type VerifyNitroOptions } from "../nitro/verifyNitro.ts";
import { toHex } from "../../words/hex.ts";
import { requireNoEventLog, requireNoVmConfig } from "./bareEvidence.ts";

/**
 * Verifies an enclave's document, and refuses it: a node is one physical machine, and AWS's documents name none. The
 * instance in `module_id` is a virtual machine that may stand on another host tomorrow, and beside which others stand on
 * the same host; no other field says more. Without a node there is no instance either, and no documented field binds a
 * manifest: PCRs 0 to 2 are the image's, 3 and 4 are the parent's role and name, and user data are the enclave's word.
 *
 * What is false is refused for what is false in it: only a true document meets `evidence/nitro-platform`.
 * @throws EvidenceError, always.
 */
export async function nitroFacts(evidence: Evidence, options: VerifyNitroOptions): Promise<never> {
  requireNoEventLog(evidence);
  requireNoVmConfig(evidence);
  const { document, simulated, checks } = await verifyNitro(quoteBytes(evidence.quote), options);
  throw new EvidenceError(
    "nitro-platform",
    "expected evidence that names its machine: the document holds, and AWS names none in it",
    {
      moduleId: document.moduleId,
      pcr0: toHex(document.pcrs.get(0) ?? new Uint8Array()),
      simulated,
    },
    checks,
  );
}
