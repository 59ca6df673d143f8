import type { PrivateKeyAccount } from "viem/accounts";

import { isCharterError } from "../../protocol/errors/CharterError.ts";
import { nodeReportTypedData, type NodeReport } from "../../protocol/session/nodeReport.ts";
import type { Address } from "../../protocol/words/hex.ts";
import type { Clock } from "../clock.ts";
import { reported } from "../guest/state.ts";
import type { RelayerClient } from "../session/RelayerClient.ts";

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

/** Tells every relayer, each minute and by the node's key, what this machine has and what ails it. */
export class NodeReporter {
  readonly #options: NodeReporterOptions;
  #said = "[]";

  constructor(options: NodeReporterOptions) {
    this.#options = options;
  }

  /** Runs until the signal is given. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.report(signal);
      } catch (error) {
        // Guests are worth more than reports: said, and tried again.
        if (!signal.aborted) this.#options.say({ state: "report-failed", error: reported(error) });
      }
      await this.#options.clock.sleep(PAUSE_MS, signal);
    }
  }

  /** One report. Trouble is said once, when it begins, changes or ends; a relayer that does not listen is no trouble here. */
  async report(signal: AbortSignal): Promise<void> {
    const { relayers, chainId, nodeRegistry, account, describe, unixNow, say } = this.#options;
    const described = await describe();
    const trouble = JSON.stringify(described.trouble.map(({ code }) => code));
    if (trouble !== this.#said) say({ state: "trouble", trouble: described.trouble });
    this.#said = trouble;
    const unsigned = { report: JSON.stringify(described), at: unixNow() };
    const signature = await account.signTypedData(nodeReportTypedData(chainId, nodeRegistry, unsigned));
    const key = account.address.toLowerCase() as Address;
    await Promise.all(
      relayers.map(async (relayer) => {
        try {
          await relayer.report(key, { ...unsigned, signature }, signal);
        } catch (error) {
          if (!isCharterError(error)) throw error; // Refused or unreachable: the next minute's report follows.
        }
      }),
    );
  }
}
