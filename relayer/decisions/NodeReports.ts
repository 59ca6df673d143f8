import { CharterError } from "../../protocol/errors/CharterError.ts";
import { closedBy } from "../../protocol/placement/closedNode.ts";
import {
  nodeReportSchema,
  nodeReportTypedData,
  type NodeReport,
  type NodeReportMessage,
} from "../../protocol/session/nodeReport.ts";
import { parseStrictJson } from "../../protocol/words/strictJson.ts";
import type { Address } from "../../protocol/words/hex.ts";
import { recoverTypedData } from "../keys/recoverTypedData.ts";
import type { NodeStore } from "../store/nodeStore.ts";

interface Options {
  readonly chainId: number;
  readonly nodeRegistry: Address;
  readonly nodes: Pick<NodeStore, "report" | "lastReport" | "lastReports">;
  /** Unix seconds. */
  readonly now: () => number;
}

/** A report is of now, give or take clocks: an old one cannot be sent again later. */
const MAX_SKEW_SECONDS = 300;

/** What a node says of itself, and when it said so (unix seconds). */
export interface SaidReport extends NodeReport {
  readonly at: number;
}

/**
 * Keeps what nodes say of their capacity and their trouble, by their own keys. These are claims: they grant nothing, and
 * what they take, they take from the node that made them (PlacementDesk).
 */
export class NodeReports {
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
  }

  /**
   * Takes a registered node's report.
   * @throws CharterError `report/not-of-now`, `report/malformed`, `report/signature-invalid`, `report/superseded`.
   */
  async take(key: Address, message: NodeReportMessage): Promise<void> {
    const { chainId, nodeRegistry, nodes, now } = this.#options;
    if (Math.abs(now() - message.at) > MAX_SKEW_SECONDS) {
      throw new CharterError("report/not-of-now", "a node's report must have been signed just now", {
        expected: now(),
        actual: message.at,
      });
    }
    const parsed = nodeReportSchema.safeParse(parseStrictJson(message.report, "a node's report"));
    if (!parsed.success) {
      throw new CharterError("report/malformed", "a node's report has another shape than documented", {
        issues: parsed.error.issues
          .slice(0, 10)
          .map((issue) => `${issue.path.join(".")}: ${issue.message}`.slice(0, 200)),
      });
    }
    const signer = recoverTypedData(nodeReportTypedData(chainId, nodeRegistry, message), message.signature);
    if (signer !== key) {
      throw new CharterError("report/signature-invalid", "a node's report must be signed by its key", {
        expected: key,
        actual: signer,
      });
    }
    if (!(await nodes.report(key, message, closedBy(parsed.data) !== null))) {
      throw new CharterError("report/superseded", "a later report of this node is known", { key });
    }
  }

  /** The last reports of these nodes, by key. One that an earlier version took in another form is left out. */
  async said(keys: readonly Address[]): Promise<Map<Address, SaidReport>> {
    const said = new Map<Address, SaidReport>();
    for (const [key, { report, at }] of await this.#options.nodes.lastReports(keys)) {
      const parsed = readReport(report);
      if (parsed !== null) said.set(key, { ...parsed, at });
    }
    return said;
  }

  /** The last report. @throws CharterError `report/unknown` where there is none. */
  async last(key: Address): Promise<NodeReportMessage> {
    const report = await this.#options.nodes.lastReport(key);
    if (report === null) throw new CharterError("report/unknown", "this node has reported nothing", { key });
    return report;
  }
}

/** A report's text as it was kept; null where it is of no form that is known now. */
export function readReport(text: string): NodeReport | null {
  const parsed = nodeReportSchema.safeParse(JSON.parse(text));
  return parsed.success ? parsed.data : null;
}
