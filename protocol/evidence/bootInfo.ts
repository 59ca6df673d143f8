import type { Crypto } from "../crypto/crypto.ts";
import type { BootInfo } from "../policy/bootInfo.ts";
import { nameOf, TcbStatus } from "../words/enums.ts";
import { toHex, type Address, type Bytes32, type ComposeHash, type Hex } from "../words/hex.ts";
import { concatBytes, isZero } from "../words/bytes.ts";
import type { VerifiedEvidence } from "./evidence.ts";

/**
 * dstack's boot info of verified evidence (DESIGN section 9):
 * mrSystem = sha256(MRTD‖RTMR0‖RTMR1‖RTMR2‖sha256(key provider)),
 * mrAggregated = sha256(MRTD‖RTMR0‖…‖RTMR3 [‖MRCONFIGID‖MROWNER‖MROWNERCONFIG when any is non-zero]).
 */
export async function bootInfoOf(verified: VerifiedEvidence, crypto: Crypto): Promise<BootInfo> {
  const { report } = verified.tdx;
  const [rtmr0, rtmr1, rtmr2, rtmr3] = report.rtmrs;
  const sha256 = (bytes: Uint8Array): Promise<Uint8Array> => crypto.digest("SHA-256", bytes);
  const owners = concatBytes(report.mrConfigId, report.mrOwner, report.mrOwnerConfig);
  const keyProvider = await sha256(verified.boot.keyProvider);
  const [system, aggregated] = await Promise.all([
    sha256(concatBytes(report.mrTd, rtmr0, rtmr1, rtmr2, keyProvider)),
    sha256(concatBytes(report.mrTd, rtmr0, rtmr1, rtmr2, rtmr3, isZero(owners) ? new Uint8Array() : owners)),
  ]);
  return {
    appId: verified.appId,
    composeHash: verified.composeHash as ComposeHash,
    instanceId: asAddress(verified.instanceId),
    deviceId: verified.platformId,
    mrAggregated: toHex(aggregated) as Bytes32,
    mrSystem: toHex(system) as Bytes32,
    osImageHash: verified.osImageHash,
    tcbStatus: nameOf(TcbStatus, verified.status),
    advisoryIds: verified.advisoryIds,
  };
}

/** Instance ids are 20 bytes, or empty where the app asked for none; dstack pads on the left. */
const asAddress = (id: Hex): Address => `0x${id.slice(2).padStart(40, "0")}` as Address;
