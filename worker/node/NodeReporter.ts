import type { PrivateKeyAccount } from "viem/accounts";

import { isCharterError } from "../../protocol/errors/CharterError.ts";
import { nodeReportTypedData, type NodeReport, type Outlook } from "../../protocol/session/nodeReport.ts";
import type { Address } from "../../protocol/words/hex.ts";
import type { Clock } from "../clock.ts";
import { reported } from "../guest/state.ts";
import type { RelayerClient } from "../session/RelayerClient.ts";
import { outlookTrouble } from "./outlookTrouble.ts";

export interface NodeReporterOptions {
  readonly relayers: readonly RelayerClient[];
  readonly chainId: number;
  readonly nodeRegistry: Address;
  readonly account: PrivateKeyAccount;
  readonly describe: () => Promise<NodeReport>;
  readonly clock: Clock;
  /** Unix seconds. */
  readonly unixNow: () => number;
  readonly say: (message: Readonly<Record<string, unknown>>) => void;
}

const PAUSE_MS = 60_000;
/** What does not mean that a report was refused; `node/unknown`: not registered yet. */
const SILENCE: ReadonlySet<string> = new Set(["relayer/unreachable", "node/unknown"]);
/** As many as a report may name. */
const MAX_TROUBLE = 32;

/**
 * Tells every relayer, each minute and by the node's key, what this machine has and what ails it, and hears what they
 * foresee for its evidence: that is trouble of the next report.
 */
export class NodeReporter {
  readonly #options: NodeReporterOptions;
  readonly #outlooks = new Map<string, Outlook>();
  /** By relayer: the code by which it last refused a report. */
  readonly #refusals = new Map<string, string>();
  #said = "[]";
  #lastAt = 0;
  #wake = new AbortController();

  constructor(options: NodeReporterOptions) {
    this.#options = options;
  }

  /** Runs until the signal is given. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#wake = new AbortController(); // Before the report: what changes meanwhile is told after it.
      try {
        await this.report(signal);
      } catch (error) {
        // Guests are worth more than reports: said, and tried again.
        if (!signal.aborted) this.#options.say({ state: "report-failed", error: reported(error) });
      }
      await this.#options.clock.sleep(PAUSE_MS, AbortSignal.any([signal, this.#wake.signal]));
    }
  }

  /** Reports as soon as may be: something that relayers place by has changed. */
  soon(): void {
    this.#wake.abort();
  }

  /**
   * One report. Trouble is said once, when it begins, changes or ends, and so is a relayer's refusal: that the clock here is off
   * shows in nothing else. One that does not listen is no trouble here.
   */
  async report(signal: AbortSignal): Promise<void> {
    const { relayers, chainId, nodeRegistry, account, describe, unixNow, say } = this.#options;
    const own = await describe();
    const trouble = [...own.trouble, ...outlookTrouble(this.#outlooks)].slice(0, MAX_TROUBLE);
    const codes = JSON.stringify(trouble.map(({ code, isBlocking }) => [code, isBlocking]));
    if (codes !== this.#said) say({ state: "trouble", trouble });
    this.#said = codes;
    this.#lastAt = Math.max(unixNow(), this.#lastAt + 1); // A later word has a later time.
    const unsigned = { report: JSON.stringify({ ...own, trouble }), at: this.#lastAt };
    const signature = await account.signTypedData(nodeReportTypedData(chainId, nodeRegistry, unsigned));
    const key = account.address.toLowerCase() as Address;
    await Promise.all(
      relayers.map(async (relayer) => {
        try {
          const outlook = await relayer.report(key, { ...unsigned, signature }, signal);
          if (outlook === null) this.#outlooks.delete(relayer.url);
          else this.#outlooks.set(relayer.url, outlook);
          this.#refusals.delete(relayer.url);
        } catch (error) {
          if (!isCharterError(error)) throw error; // Refused or unreachable: the next minute's report follows.
          const isKnown = SILENCE.has(error.code) || this.#refusals.get(relayer.url) === error.code;
          if (!isKnown) say({ state: "report-refused", relayer: relayer.url, error: reported(error) });
          if (!SILENCE.has(error.code)) this.#refusals.set(relayer.url, error.code);
        }
      }),
    );
  }
}
