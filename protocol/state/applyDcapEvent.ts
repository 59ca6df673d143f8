import type { dcapCollateralAbi } from "../abi/dcapCollateral.ts";
import type { dcapVerifierAbi } from "../abi/dcapVerifier.ts";
import type { PlatformId } from "../words/hex.ts";
import type { EventArgs } from "./eventArgs.ts";
import type { ChainEvent, ChainState } from "./types.ts";

/** PckCa of contracts/interfaces/IDcapCollateral.sol; None stands for the root, or the signer of documents. */
export const PckCa = { None: 0, Platform: 1, Processor: 2 } as const;

/** Keys of `ChainState.collateral`. `tee`: TeeKind; `fmspc`: lower-case hex with 0x. */
export const keptKey = {
  certificate: (ca: number): string => `certificate:${ca}`,
  crl: (ca: number): string => `crl:${ca}`,
  qeIdentity: (tee: number): string => `qe:${tee}`,
  tcbInfo: (tee: number, fmspc: string): string => `tcb:${tee}:${fmspc}`,
} as const;

/** Events that this projection holds nothing of: how a record stands is asked of the chain. */
const NOT_HELD = ["MinEvaluationNumberChanged", "RecordJudged"];

/** Folds an event of DcapCollateral or DcapVerifier; false for one that has no meaning here. */
export function applyDcapEvent(state: ChainState, event: ChainEvent): boolean {
  switch (event.name) {
    case "PlatformRecorded": {
      const args = event.args as unknown as EventArgs<typeof dcapVerifierAbi, "PlatformRecorded">;
      const { record: number, platformId, facts } = args;
      state.records.set(number, { number, platformId: platformId as PlatformId, facts: facts });
      return true;
    }
    case "CertificateKept": {
      const args = event.args as unknown as EventArgs<typeof dcapCollateralAbi, "CertificateKept">;
      const { serial: content, notAfter: nextUpdate } = args;
      state.collateral.set(keptKey.certificate(args.ca), { content, issuedAt: 0, nextUpdate });
      return true;
    }
    case "CrlKept": {
      const args = event.args as unknown as EventArgs<typeof dcapCollateralAbi, "CrlKept">;
      const { count, thisUpdate: issuedAt, nextUpdate } = args;
      state.collateral.set(keptKey.crl(args.ca), { content: count, issuedAt, nextUpdate });
      return true;
    }
    case "QeIdentityKept": {
      const args = event.args as unknown as EventArgs<typeof dcapCollateralAbi, "QeIdentityKept">;
      const { evaluationNumber, issuedAt, nextUpdate } = args;
      const content = BigInt(evaluationNumber);
      state.collateral.set(keptKey.qeIdentity(args.tee), { content, issuedAt, nextUpdate });
      return true;
    }
    case "TcbInfoKept": {
      const args = event.args as unknown as EventArgs<typeof dcapCollateralAbi, "TcbInfoKept">;
      const { evaluationNumber, issuedAt, nextUpdate } = args;
      const content = BigInt(evaluationNumber);
      state.collateral.set(keptKey.tcbInfo(args.tee, args.fmspc), { content, issuedAt, nextUpdate });
      return true;
    }
    default:
      return NOT_HELD.includes(event.name);
  }
}
