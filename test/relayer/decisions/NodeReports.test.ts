import { expect } from "chai";
import { privateKeyToAccount } from "viem/accounts";

import {
  nodeReportTypedData,
  type NodeReport,
  type NodeReportMessage,
} from "../../../protocol/session/nodeReport.ts";
import type { Address } from "../../../protocol/words/hex.ts";
import { NodeReports } from "../../../relayer/decisions/NodeReports.ts";
import { APP, account, word } from "../../protocol/state/builders.ts";
import { refusal } from "../../support/refusal.ts";
import { freshStore } from "../support/freshStore.ts";

const CHAIN_ID = 31_337;
const REGISTRY = account(0xc2);
const T = 1_700_000_000;

describe("NodeReports", () => {
  const { store } = freshStore();
  const node = privateKeyToAccount(word(0x0e01));
  const key = node.address.toLowerCase() as Address;
  const reports = () =>
    new NodeReports({ chainId: CHAIN_ID, nodeRegistry: REGISTRY, nodes: store().nodes, now: () => T });
  const report = (free = 100, changes: Partial<NodeReport> = {}): NodeReport => ({
    capacity: { cpus: 8, memoryMb: 16_000, diskMb: 1_000, diskFreeMb: free, maxGuests: 4 },
    guests: 1,
    apps: [APP],
    tees: [{ kind: "tdx", source: "dstack", isUsable: true }],
    gpus: [{ model: "NVIDIA H100 PCIe", arch: "HOPPER", driver: "550.90", mode: "spt" }],
    trouble: [],
    ...changes,
  });
  const signed = async (
    { text = JSON.stringify(report()), at = T } = {},
    by = node,
  ): Promise<NodeReportMessage> => {
    const typed = nodeReportTypedData(CHAIN_ID, REGISTRY, { report: text, at });
    return { report: text, at, signature: await by.signTypedData(typed) };
  };

  it("take_signedByTheNodesKey_isKeptUntilALaterOne", async () => {
    const one = reports();
    expect(await refusal(one.last(key))).to.equal("report/unknown");
    const first = await signed();
    await one.take(key, first);
    expect(await one.last(key)).to.deep.equal(first);
    const later = await signed({ text: JSON.stringify(report(7)), at: T + 1 });
    await one.take(key, later);
    expect(await refusal(one.take(key, first))).to.equal("report/superseded");
    expect(await one.last(key)).to.deep.equal(later);
  });

  it("take_byAnotherKeyOrOfAnotherText_isRefused", async () => {
    const stranger = await signed({}, privateKeyToAccount(word(0x0e02)));
    expect(await refusal(reports().take(key, stranger))).to.equal("report/signature-invalid");
    const bent = { ...(await signed()), report: JSON.stringify(report(9_999)) };
    expect(await refusal(reports().take(key, bent))).to.equal("report/signature-invalid");
  });

  it("take_oldOrOfAnotherShape_isRefused", async () => {
    expect(await refusal(reports().take(key, await signed({ at: T - 301 })))).to.equal("report/not-of-now");
    const text = JSON.stringify({ ...report(), isTrusted: true });
    expect(await refusal(reports().take(key, await signed({ text })))).to.equal("report/malformed");
  });

  it("take_thatClosesTheNode_isRememberedFromTheFirstOnUntilItIsSilentAboutIt", async () => {
    const one = reports();
    const closing = () => store().nodes.closingReports(T - 10_000);
    const taken = async (at: number, apps: Address[]) => {
      const text = JSON.stringify(report(100, { apps }));
      // The relayer's clock goes along.
      const later = new NodeReports({
        ...{ chainId: CHAIN_ID, nodeRegistry: REGISTRY, nodes: store().nodes },
        now: () => at,
      });
      const message = await signed({ text, at });
      await later.take(key, message);
      return message;
    };
    const full = [APP, APP, APP, APP];
    await taken(T, [APP]);
    expect(await closing()).to.deep.equal([]);
    await taken(T + 60, full);
    const last = await taken(T + 120, full);
    await taken(T + 180, [APP]);
    expect(await closing()).to.deep.equal([{ key, since: T + 60, ...last }]);
    expect(await store().nodes.closingReports(T + 120)).to.deep.equal([]);
    expect((await one.said([key])).get(key)).to.deep.include({ at: T + 180, apps: [APP] });
    const again = await taken(T + 500, full);
    expect(await closing()).to.deep.equal([{ key, since: T + 500, ...again }]);
  });
});
