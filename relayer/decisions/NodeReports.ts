import { CharterError } from "../../protocol/errors/CharterError.ts";
import {
  nodeReportSchema,
  nodeReportTypedData,
  type NodeReportMessage,
} from "../../protocol/session/nodeReport.ts";
import { parseStrictJson } from "../../protocol/words/strictJson.ts";
import type { Address } from "../../protocol/words/hex.ts";
import { recoverTypedData } from "../keys/recoverTypedData.ts";
import type { NodeStore } from "../store/nodeStore.ts";

interface Options {
  readonly chainId: number;
  readonly nodeRegistry: Address;
  readonly nodes: Pick<NodeStore, "report" | "lastReport">;
  /** Unix seconds. */
  readonly now: () => number;
}

/** A report is of now, give or take clocks: an old one cannot be sent again later. */
const MAX_SKEW_SECONDS = 300;

/** Keeps what nodes say of their capacity and their trouble, by their own keys: claims for people, which grant nothing. */
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
        issues: parsed.error.issues.slice(0, 10).map((issue) => `${issue.path.join(".")}: ${issue.message}`),
      });
    }
    const signer = recoverTypedData(nodeReportTypedData(chainId, nodeRegistry, message), message.signature);
    if (signer !== key) {
      throw new CharterError("report/signature-invalid", "a node's report must be signed by its key", {
        expected: key,
        actual: signer,
      });
    }
    if (!(await nodes.report(key, message))) {
      throw new CharterError("report/superseded", "a later report of this node is known", { key });
    }
  }

  /** The last report. @throws CharterError `report/unknown` where there is none. */
  async last(key: Address): Promise<NodeReportMessage> {
    const report = await this.#options.nodes.lastReport(key);
    if (report === null) throw new CharterError("report/unknown", "this node has reported nothing", { key });
    return report;
  }
}
