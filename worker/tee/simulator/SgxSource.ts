import { toHex, type PlatformId } from "../../../protocol/words/hex.ts";
import type { BoundBoot, EvidenceSource, Quoted } from "../EvidenceSource.ts";
import { requireReportData } from "../reportData.ts";
import { NO_BOOT, noRegister } from "./noRegister.ts";
import type { SimulatedPlatform } from "./platform.ts";
import { SimulatedSgx, type SimulatedSgxOptions } from "./SimulatedSgx.ts";

/** The simulated enclave as a source of evidence: for nodes, as an enclave binds no manifest. */
export class SgxSource implements EvidenceSource {
  readonly kind = "sgx";
  readonly simulated = true;
  readonly platformId: PlatformId;
  readonly boot: BoundBoot = NO_BOOT;
  readonly #enclave: SimulatedSgx;

  constructor(platform: SimulatedPlatform, options: SimulatedSgxOptions = {}) {
    this.platformId = platform.platformId;
    this.#enclave = new SimulatedSgx(platform, options);
  }

  /** @throws CharterError `tee/no-runtime-register`, always. */
  extend(event: string): Promise<void> {
    return noRegister(this.kind, event);
  }

  async quote(reportData: Uint8Array): Promise<Quoted> {
    requireReportData(reportData);
    return { quote: toHex(this.#enclave.quote(reportData)), eventLog: "[]", vmConfig: "{}" };
  }
}
