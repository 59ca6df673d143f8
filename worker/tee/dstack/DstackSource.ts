import { parseEventLog } from "../../../protocol/evidence/eventlog/eventLog.ts";
import { CharterError } from "../../../protocol/errors/CharterError.ts";
import {
  toHex,
  type Address,
  type ComposeHash,
  type Hex,
  type PlatformId,
} from "../../../protocol/words/hex.ts";
import type { BoundBoot, EvidenceSource, Quoted } from "../EvidenceSource.ts";
import { requireReportData } from "../reportData.ts";
import { DstackAgent } from "./DstackAgent.ts";

/** A TD that dstack started: it has measured app, compose hash and key provider itself. */
export class DstackSource implements EvidenceSource {
  readonly kind = "tdx";
  readonly simulated = false;
  readonly platformId: PlatformId;
  readonly boot: BoundBoot;
  readonly #agent: DstackAgent;
  /** What this program had measured, in order. */
  readonly #extended: { readonly event: string; readonly payload: Hex }[] = [];

  private constructor(agent: DstackAgent, platformId: PlatformId, boot: BoundBoot) {
    this.#agent = agent;
    this.platformId = platformId;
    this.boot = boot;
  }

  /** @throws CharterError `tee/agent-absent`, `tee/agent-failed`, `tee/agent-malformed`. */
  static async open(socket: string): Promise<DstackSource> {
    const agent = new DstackAgent(socket);
    const { app_id, compose_hash, device_id } = await agent.info();
    const boot = { app: prefixed<Address>(app_id), composeHash: prefixed<ComposeHash>(compose_hash) };
    return new DstackSource(agent, prefixed<PlatformId>(device_id), boot);
  }

  async extend(event: string, payload: Uint8Array): Promise<void> {
    await this.#agent.emitEvent(event, payload);
    this.#extended.push({ event, payload: toHex(payload) });
  }

  /** @throws CharterError `tee/agent-event-missing` where the agent's log lacks what was measured, and as `open`. */
  async quote(reportData: Uint8Array): Promise<Quoted> {
    requireReportData(reportData);
    const { quote, event_log: eventLog, vm_config: vmConfig } = await this.#agent.quote(reportData);
    this.#requireExtended(eventLog);
    return { quote: prefixed<Hex>(quote), eventLog, vmConfig };
  }

  #requireExtended(eventLog: string): void {
    const logged = parseEventLog(eventLog).filter(({ imr }) => imr === 3);
    let from = 0;
    for (const { event, payload } of this.#extended) {
      const at = logged.findIndex(
        (one, i) => i >= from && one.name === event && toHex(one.payload) === payload,
      );
      if (at < 0) {
        throw new CharterError(
          "tee/agent-event-missing",
          "dstack's event log lacks an event that was measured",
          {
            event,
          },
        );
      }
      from = at + 1;
    }
  }
}

const prefixed = <T extends Hex>(text: string): T =>
  (text.startsWith("0x") ? text : `0x${text}`).toLowerCase() as T;
