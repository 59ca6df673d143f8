import { toHex } from "../../../../protocol/words/hex.ts";
import type { BoundBoot, EvidenceSource, Quoted } from "../../EvidenceSource.ts";
import { requireReportData } from "../../reportData.ts";
import { NO_BOOT, noRegister } from "../noRegister.ts";
import type { SimulatedNitro } from "./SimulatedNitro.ts";

/** A simulated enclave of AWS as a source of evidence. Its documents name no machine, so no node is made of them. */
export class NitroSource implements EvidenceSource {
  readonly kind = "nitro";
  readonly simulated = true;
  readonly platformId = null;
  readonly boot: BoundBoot = NO_BOOT;
  readonly #enclave: () => SimulatedNitro;

  /** @param enclave as it is now: its certificate lives for three hours. */
  constructor(enclave: () => SimulatedNitro) {
    this.#enclave = enclave;
  }

  /** @throws CharterError `tee/no-runtime-register`, always. */
  extend(event: string): Promise<void> {
    return noRegister(this.kind, event);
  }

  async quote(reportData: Uint8Array): Promise<Quoted> {
    requireReportData(reportData);
    const document = this.#enclave().attest({ userData: reportData });
    return { quote: toHex(document), eventLog: "[]", vmConfig: "{}" };
  }
}
