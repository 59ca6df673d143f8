import { createHash } from "node:crypto";

import { nodeCrypto } from "../../../protocol/crypto/node.ts";
import { CharterError } from "../../../protocol/errors/CharterError.ts";
import { hostDataMatches, parseMrConfig } from "../../../protocol/evidence/snp/hostData.ts";
import { parseSnpReport, SNP_REPORT_BYTES } from "../../../protocol/evidence/snp/parseReport.ts";
import { parseVmConfig } from "../../../protocol/evidence/vmConfig.ts";
import { isZero } from "../../../protocol/words/bytes.ts";
import { toHex, type PlatformId } from "../../../protocol/words/hex.ts";
import type { BoundBoot, EvidenceSource, Quoted } from "../EvidenceSource.ts";
import { tsmReport, type TsmOptions } from "./tsmReport.ts";

export interface TsmSnpOptions extends TsmOptions {
  /** dstack's configuration document of version 3, exact text: the launch bound its hash as HOST_DATA. */
  readonly mrConfig: string;
  /** JSON with `os_image_hash`, by which an app's policy names this image; without it no app allows the guest. */
  readonly vmConfig?: string;
}

/** An SEV-SNP guest. It has no register to extend after launch: HOST_DATA alone says which app it was started for. */
export class TsmSnp implements EvidenceSource {
  readonly #options: TsmSnpOptions;
  readonly kind = "snp";
  readonly simulated = false;
  readonly platformId: PlatformId;
  readonly boot: BoundBoot;

  private constructor(options: TsmSnpOptions, platformId: PlatformId, boot: BoundBoot) {
    this.#options = options;
    this.platformId = platformId;
    this.boot = boot;
  }

  /**
   * @throws CharterError `tee/boot-unbound` where HOST_DATA is not of this document or the document names no app,
   * `tee/chip-masked` where the platform hides its chip id, `tee/tsm-…`, `evidence/…` (`vm-config-format` too), `mr-config/malformed`.
   */
  static async open(options: TsmSnpOptions): Promise<TsmSnp> {
    const { outblob } = await tsmReport(new Uint8Array(64), options);
    const { chipId, hostData } = parseSnpReport(outblob.subarray(0, SNP_REPORT_BYTES));
    const { appId, composeHash } = parseMrConfig(options.mrConfig);
    parseVmConfig(options.vmConfig ?? "{}");
    if (appId === null || !(await hostDataMatches(hostData, options.mrConfig, nodeCrypto))) {
      throw new CharterError(
        "tee/boot-unbound",
        "HOST_DATA must be the hash of a document that names the app",
        {
          hostData: toHex(hostData),
          app: appId,
        },
      );
    }
    if (isZero(chipId)) throw new CharterError("tee/chip-masked", "this platform hides its chip id");
    const platformId = toHex(createHash("sha256").update(chipId).digest()) as PlatformId;
    return new TsmSnp(options, platformId, { app: appId, composeHash });
  }

  /** @throws CharterError `tee/no-runtime-register`, always. */
  extend(event: string): Promise<void> {
    return Promise.reject(
      new CharterError("tee/no-runtime-register", "an SEV-SNP guest has no register to extend", { event }),
    );
  }

  /** Report, and the host's table of certificates behind it. */
  async quote(reportData: Uint8Array): Promise<Quoted> {
    const { outblob, auxblob } = await tsmReport(reportData, this.#options);
    return {
      quote: toHex(Buffer.concat([outblob, auxblob])),
      eventLog: "[]",
      vmConfig: JSON.stringify({
        ...(JSON.parse(this.#options.vmConfig ?? "{}") as object),
        mr_config: this.#options.mrConfig,
      }),
    };
  }
}
