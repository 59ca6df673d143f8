import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { recoverTypedDataAddress } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { expect } from "chai";

import {
  nodeReportSchema,
  nodeReportTypedData,
  type NodeReport,
} from "../../../protocol/session/nodeReport.ts";
import type { Address } from "../../../protocol/words/hex.ts";
import { describeNode } from "../../../worker/node/describeNode.ts";
import { NodeReporter } from "../../../worker/node/NodeReporter.ts";
import { RelayerClient } from "../../../worker/session/RelayerClient.ts";
import { createTestPki } from "../../../worker/tee/simulator/pki.ts";
import { ManualClock } from "../support/ManualClock.ts";
import { CHAIN, TestRelayer } from "../support/TestRelayer.ts";

const APP = `0x${"ab".repeat(20)}` as Address;
const NOTHING = { guests: 0, apps: null };

describe("what a node says of itself", () => {
  let dir: string;
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), "charter-report-"))));
  afterEach(() => rmSync(dir, { recursive: true }));

  const config = () => ({
    evidence: "machine" as const,
    tee: "tdx" as const,
    gpu: false,
    workdir: dir,
    maxGuests: 4,
    runtime: "docker" as const,
    driver: "process" as const,
    engineSocket: join(dir, "no-engine.sock"),
    places: {
      dstackSockets: [join(dir, "dstack.sock")],
      tsmRoot: join(dir, "tsm"),
      tdxDevice: join(dir, "tdx"),
      snpDevice: join(dir, "snp"),
      nsmDevice: join(dir, "nsm"),
      nvidiaDevices: join(dir, "gpus"),
      nvattest: join(dir, "no-nvattest"),
    },
  });

  it("names its capacity, its TEEs, its GPUs, and an engine or a collector that does not answer", async () => {
    writeFileSync(join(dir, "dstack.sock"), "");
    writeFileSync(join(dir, "nsm"), "");
    mkdirSync(join(dir, "gpus/0000:01:00.0"), { recursive: true });
    writeFileSync(
      join(dir, "gpus/0000:01:00.0/information"),
      "Model: \t\t NVIDIA H100 PCIe\nIRQ:   \t\t 16\n",
    );
    const report = nodeReportSchema.parse(
      await describeNode({ ...config(), gpu: true }, { guests: 2, apps: [APP] }),
    );
    expect(report.tees).to.deep.equal([
      { kind: "tdx", source: "dstack", isUsable: true },
      { kind: "nitro", source: "nsm", isUsable: false },
    ]);
    expect(report.gpus).to.deep.equal([{ model: "NVIDIA H100 PCIe", arch: null, driver: null, mode: null }]);
    expect(report).to.deep.include({ guests: 2, apps: [APP] });
    expect(report.capacity).to.include({ maxGuests: 4 });
    expect(report.capacity.cpus).to.be.greaterThan(0);
    expect(report.capacity.diskMb).to.be.greaterThan(report.capacity.diskFreeMb);
    const codes = report.trouble.map(({ code }) => code).filter((code) => code !== "disk-nearly-full");
    expect(codes).to.deep.equal(["gpu-silent", "engine-silent"]);
    const blocks = ({ trouble }: NodeReport) =>
      trouble.flatMap(({ code, isBlocking }) => (isBlocking && code !== "disk-nearly-full" ? [code] : []));
    expect(blocks(report)).to.deep.equal(["engine-silent"]);
    const auto = await describeNode({ ...config(), runtime: "auto" }, NOTHING);
    expect(blocks(auto)).to.deep.equal([]);
    const dry = await describeNode({ ...config(), runtime: "dry" }, NOTHING);
    expect(dry.trouble.filter(({ code }) => code === "engine-silent")).to.deep.equal([]);
  });

  it("is said to be refused, once: that the clock is off shows in nothing else", async () => {
    const refusing = createServer((_request, response) => {
      const error = { code: "report/not-of-now", message: "no", details: { expected: 1, actual: 2 } };
      response.writeHead(403).end(JSON.stringify({ error }));
    }).listen(0, "127.0.0.1");
    await once(refusing, "listening");
    try {
      const url = `http://127.0.0.1:${(refusing.address() as AddressInfo).port}`;
      const said: { readonly state?: unknown; readonly relayer?: unknown }[] = [];
      const described = await describeNode({ ...config(), runtime: "dry" }, NOTHING);
      const reporter = new NodeReporter({
        relayers: ["http://127.0.0.1:9", url].map((each) => new RelayerClient(each, 2_000)),
        ...CHAIN,
        account: privateKeyToAccount(generatePrivateKey()),
        describe: async () => ({ ...described, trouble: [] }),
        clock: new ManualClock(),
        unixNow: () => 1_900_000_000,
        say: (message) => said.push(message),
      });
      for (let i = 0; i < 2; i++) await reporter.report(new AbortController().signal);
      expect(said.map(({ state, relayer }) => [state, relayer])).to.deep.equal([["report-refused", url]]);
    } finally {
      refusing.close();
    }
  });

  it("is signed by its key, told to each relayer that listens, and trouble is said when it changes", async () => {
    const relayer = await new TestRelayer(createTestPki()).start();
    try {
      const account = privateKeyToAccount(generatePrivateKey());
      const trouble: NodeReport["trouble"] = [];
      const said: unknown[] = [];
      const described = await describeNode({ ...config(), runtime: "dry" }, NOTHING);
      const reporter = new NodeReporter({
        relayers: ["http://127.0.0.1:9", relayer.url].map((url) => new RelayerClient(url, 2_000)),
        ...CHAIN,
        account,
        describe: async () => ({ ...described, trouble: [...trouble] }),
        clock: new ManualClock(),
        unixNow: () => 1_800_000_000,
        say: (message) => said.push(message),
      });
      const { signal } = new AbortController();
      await reporter.report(signal);
      expect(said).to.deep.equal([]);
      trouble.push({ code: "disk-nearly-full", note: "3 %", isBlocking: false });
      await reporter.report(signal);
      await reporter.report(signal);
      expect(said).to.deep.equal([{ state: "trouble", trouble }]);
      const { key, message } = relayer.reports.all[1] as (typeof relayer.reports.all)[number];
      const { signature, ...signed } = message;
      const typed = nodeReportTypedData(CHAIN.chainId, CHAIN.nodeRegistry, signed);
      const signer = await recoverTypedDataAddress({ ...typed, signature });
      expect([signer.toLowerCase(), key]).to.deep.equal([key, account.address.toLowerCase()]);
      expect((JSON.parse(message.report) as NodeReport).trouble).to.deep.equal(trouble);
    } finally {
      await relayer.server.close();
    }
  });

  it("tells what relayers foresee for its evidence, from the next report on, until they do not any more", async () => {
    const relayer = await new TestRelayer(createTestPki()).start();
    try {
      const said: unknown[] = [];
      const described = await describeNode({ ...config(), runtime: "dry" }, NOTHING);
      const reporter = new NodeReporter({
        relayers: [new RelayerClient(relayer.url, 2_000)],
        ...CHAIN,
        account: privateKeyToAccount(generatePrivateKey()),
        describe: async () => ({ ...described, trouble: [] }),
        clock: new ManualClock(),
        unixNow: () => 1_800_000_000,
        say: (message) => said.push(message),
      });
      const { signal } = new AbortController();
      relayer.outlook = {
        lookedAt: 1_800_000_000,
        trouble: [
          { reason: "ending", what: "PCK certificate", at: 1_800_400_000 },
          { reason: "next-set", what: "OutOfDate", at: null },
        ],
      };
      await reporter.report(signal);
      await reporter.report(signal);
      relayer.outlook = { lookedAt: 1_800_000_060, trouble: [] };
      await reporter.report(signal);
      await reporter.report(signal);
      const expected = [
        {
          code: "collateral-ending",
          note: `PCK certificate ends 2027-01-19T23:06:40.000Z (${relayer.url})`,
          isBlocking: false,
        },
        {
          code: "evidence-worse-soon",
          note: `under the set that its vendor announces this machine's evidence is OutOfDate (${relayer.url})`,
          isBlocking: false,
        },
      ];
      expect(said).to.deep.equal([
        { state: "trouble", trouble: expected },
        { state: "trouble", trouble: [] },
      ]);
      const { all } = relayer.reports;
      expect(all.map(({ message }) => (JSON.parse(message.report) as NodeReport).trouble)).to.deep.equal([
        ...[[], expected, expected, []],
      ]);
      // The clock stands still, and a later word is later all the same.
      expect(all.map(({ message: { at } }) => at - 1_800_000_000)).to.deep.equal([0, 1, 2, 3]);
    } finally {
      await relayer.server.close();
    }
  });

  it("is told again at once when something changes that relayers place by", async () => {
    const relayer = await new TestRelayer(createTestPki()).start();
    const stopping = new AbortController();
    try {
      const described = await describeNode({ ...config(), runtime: "dry" }, NOTHING);
      const reporter = new NodeReporter({
        relayers: [new RelayerClient(relayer.url, 2_000)],
        ...CHAIN,
        account: privateKeyToAccount(generatePrivateKey()),
        describe: async () => described,
        clock: new ManualClock(), // Nobody moves it: a pause would never end.
        unixNow: () => 1_800_000_000,
        say: () => undefined,
      });
      const running = reporter.run(stopping.signal);
      await relayer.reports.until(() => true);
      reporter.soon();
      await relayer.reports.until(() => true);
      stopping.abort();
      await running;
    } finally {
      stopping.abort();
      await relayer.server.close();
    }
  });
});
