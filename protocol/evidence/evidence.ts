import { matchesMrConfigId, type MrConfigFacts } from "./mrConfigId.ts";
import type { Crypto } from "../crypto/crypto.ts";
import { keccak256 } from "../crypto/keccak.ts";
import { CharterError } from "../errors/CharterError.ts";
import { TeeKind, type TcbStatus } from "../words/enums.ts";
import { toHex, type Address, type Bytes32, type Hex, type PlatformId } from "../words/hex.ts";
import type { Collateral } from "./dcap/collateral.ts";
import { evidenceDigest } from "./dcap/evidenceDigest.ts";
import type { PlatformCache } from "./dcap/PlatformCache.ts";
import { quoteBytes } from "./dcap/quoteBytes.ts";
import type { TrustedRoot } from "./chain/roots.ts";
import { verifyTdx, type TdxVerification } from "./dcap/verifyQuote.ts";
import { bootFacts, matchesRtmrs, parseEventLog, replayRtmrs, type BootFacts } from "./eventlog/eventLog.ts";
import { EvidenceError, type Check } from "./EvidenceError.ts";
import { parseVmConfig } from "./vmConfig.ts";

/** What a TEE produced, as it travels: quote in hex, event log and VM configuration as JSON text. */
export interface Evidence {
  readonly kind: "tdx" | "sgx" | "snp" | "nitro";
  readonly quote: string;
  readonly eventLog: string;
  readonly vmConfig: string;
}

export interface VerifyOptions {
  readonly collateral: Collateral;
  /** Unix seconds. */
  readonly at: number;
  readonly crypto: Crypto;
  readonly roots?: readonly TrustedRoot[];
  readonly platforms?: PlatformCache;
}

/** Evidence that passed every check, in the words of DESIGN section 1. */
export interface VerifiedEvidence {
  readonly kind: TeeKind;
  readonly status: TcbStatus;
  readonly advisoryIds: readonly string[];
  readonly platformId: PlatformId;
  readonly appId: Address;
  readonly composeHash: Bytes32;
  readonly instanceId: Hex;
  readonly osImageHash: Bytes32;
  /** keccak256(MRTD‖RTMR1‖RTMR2), and the same with ‖RTMR0. */
  readonly measurementDigest: Bytes32;
  readonly pinnedMeasurementDigest: Bytes32;
  readonly reportData: Hex;
  /** `quoteDigest`: of what the platform signed, and of the platform. */
  readonly evidenceDigest: Bytes32;
  readonly validFrom: number;
  readonly validUntil: number;
  readonly simulated: boolean;
  readonly tdx: TdxVerification;
  readonly boot: BootFacts;
  readonly checks: readonly Check[];
}

/**
 * Verifies a TD's evidence whole (other kinds: `facts/`): the quote against collateral and root, the event log against the quote's RTMRs, what the
 * guest measured against MRCONFIGID where the platform set it (`matchesMrConfigId`; V3 needs its document as `mr_config`
 * in the VM configuration, where older hosts of dstack put it). @throws EvidenceError `evidence/<check>`.
 */
export async function verifyEvidence(evidence: Evidence, options: VerifyOptions): Promise<VerifiedEvidence> {
  if (evidence.kind !== "tdx") {
    throw new EvidenceError("kind-unsupported", "expected evidence of kind tdx", { actual: evidence.kind });
  }
  const quote = quoteBytes(evidence.quote);
  const events = parseEventLog(evidence.eventLog);
  const { osImageHash, document } = tdConfig(evidence.vmConfig);
  const [tdx, rtmrs] = await Promise.all([verifyTdx(quote, options), replayRtmrs(events, options.crypto)]);
  const checks: Check[] = [...tdx.checks];
  const step = (name: string, ok: boolean, expected: string, detail: Record<string, unknown> = {}): void => {
    checks.push({ name, ok, detail });
    if (!ok) throw new EvidenceError(name, `expected ${expected}`, detail, checks);
  };
  step("rtmr-replay", matchesRtmrs(rtmrs, tdx.report.rtmrs), "an event log that gives the quote's RTMRs", {
    replayed: rtmrs.map(toHex),
    quoted: tdx.report.rtmrs.map(toHex),
  });
  const boot = withChecks(checks, "event-log-facts", () => bootFacts(events));
  const isConfigured = await configMatches(
    tdx,
    { ...boot, ...(document === undefined ? {} : { document }) },
    options,
  );
  step("mr-config-id", isConfigured.matches, "MRCONFIGID to be zero, or that of what the guest measured", {
    mrConfigId: toHex(tdx.report.mrConfigId),
    composeHash: boot.composeHash,
    ...(isConfigured.refused === undefined ? {} : { refused: isConfigured.refused }),
  });
  step(
    "os-image-hash",
    boot.osImageHash === null || boot.osImageHash === osImageHash,
    "the OS image that the guest measured",
    {
      vmConfig: osImageHash,
      measured: boot.osImageHash,
    },
  );
  const { report } = tdx;
  const { keccak256: keccak = keccak256 } = options.crypto;
  const image = [report.mrTd, report.rtmrs[1], report.rtmrs[2]];
  return {
    kind: TeeKind.Tdx,
    status: tdx.status,
    advisoryIds: tdx.advisoryIds,
    platformId: tdx.platformId,
    appId: boot.appId as Address,
    composeHash: boot.composeHash as Bytes32,
    instanceId: boot.instanceId,
    osImageHash,
    measurementDigest: keccak(...image),
    pinnedMeasurementDigest: keccak(...image, report.rtmrs[0]),
    reportData: toHex(report.reportData),
    evidenceDigest: evidenceDigest(tdx.signed, tdx.platformId, keccak),
    validFrom: tdx.validFrom,
    validUntil: tdx.validUntil,
    simulated: tdx.simulated,
    tdx,
    boot,
    checks,
  };
}

/** Zero: the platform did not set it, and RTMR3 alone speaks for the compose hash. What cannot be read does not match. */
async function configMatches(
  { report }: TdxVerification,
  facts: MrConfigFacts,
  { crypto }: VerifyOptions,
): Promise<{ readonly matches: boolean; readonly refused?: string }> {
  try {
    return { matches: await matchesMrConfigId(report.mrConfigId, facts, crypto) };
  } catch (error) {
    if (!(error instanceof CharterError)) throw error;
    return { matches: false, refused: `${error.code}: ${error.message}` };
  }
}

/** A TD's image is named by its configuration, or it is not one that a policy could list. */
function tdConfig(text: string): { readonly osImageHash: Bytes32; readonly document?: string } {
  const { osImageHash, ...rest } = parseVmConfig(text);
  if (osImageHash !== null) return { osImageHash, ...rest };
  throw new EvidenceError("vm-config-format", "expected a VM configuration with os_image_hash");
}

function withChecks<T>(checks: Check[], name: string, work: () => T): T {
  try {
    const result = work();
    checks.push({ name, ok: true, detail: {} });
    return result;
  } catch (error) {
    if (!(error instanceof EvidenceError)) throw error;
    checks.push({ name, ok: false, detail: { ...error.details } });
    throw new EvidenceError(name, error.message, { ...error.details }, checks);
  }
}
