import { toHex, type Bytes32 } from "../../../../protocol/words/hex.ts";
import { gpuIdentity, type GpuIdentity, type GpuIdentityOptions, type GpuPki } from "./gpuPki.ts";
import { makeGpuReport, type GpuReportOptions } from "./gpuReport.ts";

/** Evidence as `parseGpuEvidence` gives it. */
export interface SimulatedGpuEvidence {
  readonly arch: string;
  readonly nonce: Bytes32;
  readonly report: Uint8Array;
  readonly certificates: string;
}

export type GpuDefects = Partial<Omit<GpuReportOptions, "nonce" | "firmwareId">>;

/** One simulated GPU in confidential mode: reports over 32 bytes of nonce. */
export class SimulatedGpu {
  readonly identity: GpuIdentity;
  readonly #arch: string;

  constructor(pki: GpuPki, options: GpuIdentityOptions) {
    this.identity = gpuIdentity(pki, options);
    this.#arch = options.arch ?? "HOPPER";
  }

  attest(nonce: Uint8Array, defects: GpuDefects = {}): SimulatedGpuEvidence {
    const { leafKey, firmwareId, certificates } = this.identity;
    const report = makeGpuReport({ nonce, key: leafKey, firmwareId, ...defects });
    return {
      arch: this.#arch,
      nonce: toHex(nonce) as Bytes32,
      report: Uint8Array.from(report),
      certificates,
    };
  }

  /** The same as NVIDIA's collector writes it. */
  static serialize(all: readonly SimulatedGpuEvidence[]): string {
    return JSON.stringify(
      all.map(({ arch, nonce, report, certificates }) => ({
        arch,
        certificate: Buffer.from(certificates).toString("base64"),
        evidence: Buffer.from(report).toString("base64"),
        nonce: nonce.slice(2),
      })),
    );
  }
}
