import { nodeCrypto } from "../../protocol/crypto/node.ts";
import type { Forecast } from "../../protocol/evidence/forecast.ts";
import { forecastSnp } from "../../protocol/evidence/forecastSnp.ts";
import type { SnpCertificates } from "../../protocol/evidence/snp/amdChain.ts";
import { EvidenceError, type TrustedRoot } from "../../protocol/evidence/index.ts";
import { readCertificateTable } from "../../protocol/evidence/snp/certificateTable.ts";
import { parseSnpReport, SNP_REPORT_BYTES } from "../../protocol/evidence/snp/parseReport.ts";
import type { TcbFloors } from "../../protocol/evidence/snp/snpTcb.ts";
import { verifySnp, type SnpVerification } from "../../protocol/evidence/snp/verifySnp.ts";
import type { AmdCollateralStore } from "../store/amdCollateralStore.ts";
import {
  amdChip,
  amdIssuerFamily,
  chipKey,
  issuerKey,
  type AmdChip,
  type AmdIssuerFamily,
} from "./amdFamily.ts";
import { CollateralSource } from "./CollateralSource.ts";
import { genuineIssuers, genuineVcek, type HeldIssuers, type HeldVcek } from "./genuineAmd.ts";
import { KdsClient } from "./kdsClient.ts";

export interface AmdVerifierOptions {
  readonly kdsUrl: string;
  readonly roots: readonly TrustedRoot[];
  /** Keeps what AMD published for the times when it does not answer. */
  readonly store: Pick<AmdCollateralStore, "issuers" | "keepIssuers" | "vcek" | "keepVcek">;
  /** Unix seconds. */
  readonly now: () => number;
  readonly onRefreshFailed: (cause: unknown) => void;
  /** Lowest firmware versions that are UpToDate. */
  readonly minimumTcb?: TcbFloors;
}

export interface AmdVerifier {
  /**
   * Verifies a report, alone or with the kernel's table of certificates behind it. What the table lacks is AMD's own, and
   * so is the revocation list, which is always held. HOST_DATA must be the hash of `mrConfig` where it is given. @throws EvidenceError, CharterError `collateral/…`.
   */
  readonly verify: (reportAndTable: Uint8Array, mrConfig?: string) => Promise<SnpVerification>;
  /** What is to come for the machine of this report: `forecastSnp`. @throws CharterError `collateral/…`, `evidence/…`. */
  readonly forecast: (reportAndTable: Uint8Array, nextFloors?: TcbFloors) => Promise<Forecast>;
  /** First second in which CAs or revocation list are not valid any more, by family. */
  readonly held: () => ReadonlyMap<string, number>;
}

/** Chips asked for at once: anybody may name a chip that there is not, and AMD counts requests. */
const MAX_CHIPS_AT_ONCE = 8;

/** Verifies SEV-SNP reports against what AMD's key distribution service publishes. */
export function amdVerifier(options: AmdVerifierOptions): AmdVerifier {
  const { kdsUrl, roots, store, now, onRefreshFailed, minimumTcb } = options;
  const kds = new KdsClient({ url: kdsUrl, now });
  const issuersSource = new CollateralSource<AmdIssuerFamily, HeldIssuers>({
    key: issuerKey,
    load: async (family) => {
      const held = await genuineIssuers(await kds.issuers(family), family, roots);
      await store.keepIssuers(issuerKey(family), held, now());
      return held;
    },
    kept: async (family) => {
      const kept = await store.issuers(issuerKey(family));
      return kept === null ? null : genuineIssuers(kept, family, roots);
    },
    validUntil: ({ validUntil }) => validUntil,
    now,
    onRefreshFailed,
  });

  /** A VCEK is published once: what any replica kept is the same, and AMD is not asked again. */
  const keptVcek = async (chip: AmdChip, issuers: HeldIssuers): Promise<HeldVcek | null> => {
    const kept = await store.vcek(chipKey(chip));
    if (kept === null) return null;
    // One that today's CA does not vouch for is asked for anew.
    const held = await genuineVcek(kept, chip, issuers, roots).catch(() => null);
    return held !== null && now() < held.validUntil ? held : null;
  };
  const vceks = new CollateralSource<AmdChip, HeldVcek>({
    key: chipKey,
    load: async (chip) => {
      const issuers = await issuersSource.get({ signer: "VCEK", product: chip.product });
      const kept = await keptVcek(chip, issuers);
      if (kept !== null) return kept;
      const held = await genuineVcek(await kds.vcek(chip), chip, issuers, roots);
      await store.keepVcek(chipKey(chip), held.certificate, now());
      return held;
    },
    validUntil: ({ validUntil }) => validUntil,
    now,
    isRenewed: false,
    maxLoading: MAX_CHIPS_AT_ONCE,
    onRefreshFailed,
  });

  /** The report, and what it is judged by: certificates that came along, the rest AMD's own. */
  const gather = async (
    bytes: Uint8Array,
  ): Promise<{ report: Uint8Array; certificates: SnpCertificates; crl: Uint8Array }> => {
    const report = bytes.subarray(0, SNP_REPORT_BYTES);
    const table = bytes.subarray(SNP_REPORT_BYTES);
    const parsed = parseSnpReport(report);
    const given = table.length === 0 ? {} : readCertificateTable(table, parsed.signer);
    if (given.leaf === undefined && parsed.signer === "VLEK") {
      throw new EvidenceError("collateral-missing", "expected the VLEK with the report: AMD publishes none");
    }
    const family = amdIssuerFamily(parsed, given.leaf);
    const issuers = await issuersSource.get(family);
    const leaf = given.leaf ?? (await vceks.get(amdChip(parsed, family.product))).certificate;
    const { ask, ark } = given.ask && given.ark ? { ask: given.ask, ark: given.ark } : issuers;
    return { report, certificates: { leaf, ask, ark }, crl: issuers.crl };
  };

  return {
    verify: async (bytes, mrConfig) => {
      const { report, certificates, crl } = await gather(bytes);
      return verifySnp(
        { report, certificates, ...(mrConfig === undefined ? {} : { mrConfig }) },
        {
          at: now(),
          crypto: nodeCrypto,
          roots,
          crls: [crl],
          ...(minimumTcb === undefined ? {} : { minimumTcb }),
        },
      );
    },
    forecast: async (bytes, nextFloors) => {
      const { report, certificates, crl } = await gather(bytes);
      return forecastSnp(report, certificates, {
        at: now(),
        crypto: nodeCrypto,
        roots,
        crls: [crl],
        ...(minimumTcb === undefined ? {} : { floors: minimumTcb }),
        ...(nextFloors === undefined ? {} : { nextFloors }),
      });
    },
    held: () => issuersSource.held(),
  };
}
