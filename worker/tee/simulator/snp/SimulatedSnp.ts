import type { SnpEvidence } from "../../../../protocol/evidence/snp/verifySnp.ts";
import type { PlatformId } from "../../../../protocol/words/hex.ts";
import type { AmdPki } from "./amdPki.ts";
import { snpPlatform, type SnpPlatform, type SnpPlatformOptions } from "./snpPlatform.ts";
import { makeSnpReport, type SnpReportOptions } from "./snpReport.ts";

export type SnpDefects = Omit<SnpReportOptions, "reportData">;

/**
 * One simulated SEV-SNP guest. It is no `EvidenceSource`: an SNP guest has no register that could be extended after
 * launch, only what the host bound in HOST_DATA.
 */
export class SimulatedSnp {
  readonly kind = "snp";
  readonly simulated = true;
  readonly platform: SnpPlatform;
  readonly platformId: PlatformId;

  constructor(pki: AmdPki, options: SnpPlatformOptions) {
    this.platform = snpPlatform(pki, options);
    this.platformId = this.platform.platformId;
  }

  /** Evidence over 64 bytes of report data. */
  attest(reportData: Uint8Array, defects: SnpDefects = {}): SnpEvidence {
    return {
      report: makeSnpReport(this.platform, { reportData, ...defects }),
      certificates: this.platform.certificates,
    };
  }
}
