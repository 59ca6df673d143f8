import type { KeyObject } from "node:crypto";

import { CharterError } from "../../../protocol/errors/CharterError.ts";
import { fromHex, toHex, type ComposeHash, type PlatformId } from "../../../protocol/words/hex.ts";
import type { EvidenceSource, Quoted } from "../EvidenceSource.ts";
import {
  BOOT_EVENTS,
  bootRegisters,
  DSTACK_EVENT_TYPE,
  eventDigest,
  extended,
  MRTD,
  VM_CONFIG,
  type LoggedEvent,
} from "./measurements.ts";
import type { SimulatedPlatform } from "./platform.ts";
import { makeQuote } from "./quote.ts";

export interface SimulatedTdxOptions {
  /** Goes into MRCONFIGID (V1: 0x01 ‖ compose hash), which a real host sets when it starts the TD. Absent: zero. */
  readonly composeHash?: ComposeHash;
  /** All 48 bytes of MRCONFIGID instead: another version's. */
  readonly mrConfigId?: Uint8Array;
  /** Starts the TD in debug mode. */
  readonly debug?: boolean;
  /** Signs quotes by a key that the quoting enclave did not vouch for. */
  readonly signingKey?: KeyObject;
}

/** One simulated TD on a simulated platform: registers, event log, quotes. */
export class SimulatedTdx implements EvidenceSource {
  readonly kind = "tdx";
  readonly simulated = true;
  readonly platformId: PlatformId;
  readonly #platform: SimulatedPlatform;
  readonly #options: SimulatedTdxOptions;
  readonly #rtmrs = bootRegisters();
  readonly #events: LoggedEvent[] = [...BOOT_EVENTS];

  constructor(platform: SimulatedPlatform, options: SimulatedTdxOptions = {}) {
    this.#platform = platform;
    this.#options = options;
    this.platformId = platform.platformId;
  }

  async extend(event: string, payload: Uint8Array): Promise<void> {
    const digest = eventDigest(event, payload);
    this.#rtmrs[3] = extended(this.#rtmrs[3], digest);
    this.#events.push({
      imr: 3,
      event_type: DSTACK_EVENT_TYPE,
      digest: digest.toString("hex"),
      event,
      event_payload: Buffer.from(payload).toString("hex"),
    });
  }

  async quote(reportData: Uint8Array): Promise<Quoted> {
    if (reportData.length !== 64) {
      throw new CharterError("tee/report-data-length", "report data has 64 bytes", {
        expected: 64,
        actual: reportData.length,
      });
    }
    const { composeHash, debug = false, signingKey } = this.#options;
    const mrConfigId = Buffer.from(this.#options.mrConfigId ?? new Uint8Array(48));
    if (composeHash !== undefined) {
      mrConfigId[0] = 1;
      mrConfigId.set(fromHex(composeHash), 1);
    }
    const report = { mrTd: MRTD, mrConfigId, rtmrs: this.#rtmrs, reportData, debug };
    return {
      quote: toHex(makeQuote(this.#platform, report, signingKey)),
      eventLog: JSON.stringify(this.#events),
      vmConfig: VM_CONFIG,
    };
  }
}
