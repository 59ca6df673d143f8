import { createHash } from "node:crypto";

import { nodeCrypto } from "../../../../protocol/crypto/node.ts";
import { keccak256 } from "../../../../protocol/crypto/keccak.ts";
import { mrConfigHash } from "../../../../protocol/evidence/snp/hostData.ts";
import { toHex, type Bytes32, type PlatformId } from "../../../../protocol/words/hex.ts";
import type { BoundBoot, EvidenceSource, Quoted } from "../../EvidenceSource.ts";
import { requireReportData } from "../../reportData.ts";
import { NO_BOOT, noRegister } from "../noRegister.ts";
import { certificateTable } from "./certificateTable.ts";
import type { SimulatedSnp, SnpDefects } from "./SimulatedSnp.ts";
import { SNP_MEASUREMENT } from "./snpReport.ts";

/** What an app's policy lists to allow the simulated SNP image. */
export const SIMULATED_SNP_IMAGE = {
  osImageHash: `0x${createHash("sha256").update("charter simulated SNP image").digest("hex")}` as Bytes32,
  /** keccak256(MEASUREMENT). */
  measurementDigest: keccak256(SNP_MEASUREMENT),
} as const;

/**
 * A simulated SEV-SNP guest as a source of evidence. The host binds the app at launch, by HOST_DATA; nothing can be
 * measured afterwards. Without an app its reports speak of the machine alone.
 */
export class SnpSource implements EvidenceSource {
  readonly kind = "snp";
  readonly simulated = true;
  readonly platformId: PlatformId;
  readonly boot: BoundBoot;
  readonly #guest: SimulatedSnp;
  readonly #document: string | undefined;
  readonly #defects: SnpDefects;

  constructor(guest: SimulatedSnp, boot?: BoundBoot, defects: SnpDefects = {}) {
    this.platformId = guest.platformId;
    this.boot = boot ?? NO_BOOT;
    this.#guest = guest;
    this.#defects = defects;
    this.#document =
      boot &&
      JSON.stringify({ version: 3, compose_hash: boot.composeHash.slice(2), app_id: boot.app.slice(2) });
  }

  /** @throws CharterError `tee/no-runtime-register`, always. */
  extend(event: string): Promise<void> {
    return noRegister(this.kind, event);
  }

  /** Report, and the host's table of certificates behind it. */
  async quote(reportData: Uint8Array): Promise<Quoted> {
    requireReportData(reportData);
    const document = this.#document;
    const hostData = document === undefined ? undefined : await mrConfigHash(document, nodeCrypto);
    const { report, certificates } = this.#guest.attest(reportData, {
      ...(hostData === undefined ? {} : { hostData }),
      ...this.#defects,
    });
    return {
      quote: toHex(Buffer.concat([report, certificateTable(this.#guest.platform.signer, certificates)])),
      eventLog: "[]",
      vmConfig: JSON.stringify({
        os_image_hash: SIMULATED_SNP_IMAGE.osImageHash.slice(2),
        ...(document === undefined ? {} : { mr_config: document }),
      }),
    };
  }
}
