import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";

import { parseEventLog } from "../../../protocol/evidence/eventlog/eventLog.ts";
import { fromHex, type Address, type ComposeHash } from "../../../protocol/words/hex.ts";
import { DstackKeys } from "../../../worker/keys/DstackKeys.ts";
import { DstackAgent } from "../../../worker/tee/dstack/DstackAgent.ts";
import { DstackSource } from "../../../worker/tee/dstack/DstackSource.ts";
import { measureBoot } from "../../../worker/tee/measureBoot.ts";
import { createTestPki } from "../../../worker/tee/simulator/pki.ts";
import { simulatedPlatform } from "../../../worker/tee/simulator/platform.ts";
import { SimulatedTdx } from "../../../worker/tee/simulator/SimulatedTdx.ts";
import { refusal, refusalOf } from "../../support/refusal.ts";
import { DstackAgentServer } from "../support/DstackAgentServer.ts";

const APP = `0x${"ab".repeat(20)}` as Address;
const HASH = `0x${"cd".repeat(32)}` as ComposeHash;
const DATA = new Uint8Array(64).fill(7);

describe("dstack's guest agent", () => {
  const platform = simulatedPlatform(createTestPki(), { name: "one" });
  let dir: string;
  let agent: DstackAgentServer;

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), "charter-dstack-"));
    agent = await new DstackAgentServer(dir).start();
    const td = new SimulatedTdx(platform);
    agent.answers = {
      "/Info": () => ({
        app_id: APP.slice(2),
        instance_id: "",
        app_cert: "",
        tcb_info: "{}",
        app_name: "hello",
        device_id: platform.platformId.slice(2),
        key_provider_info: "",
        compose_hash: HASH.slice(2),
      }),
    };
    // One TD behind the agent: events that were emitted stand in its next quote.
    const emitted: Promise<void>[] = [];
    agent.answers["/EmitEvent"] = ({ event, payload }) => {
      emitted.push(td.extend(String(event), fromHex(`0x${String(payload)}`)));
      return {};
    };
    const { quote, eventLog, vmConfig } = await td.quote(DATA);
    let log = eventLog;
    agent.answers["/GetQuote"] = () => ({ quote: quote.slice(2), event_log: log, vm_config: vmConfig });
    refresh = async () => {
      await Promise.all(emitted);
      log = (await td.quote(DATA)).eventLog;
    };
  });
  let refresh: () => Promise<void>;
  afterEach(async () => {
    await agent.close();
    rmSync(dir, { recursive: true });
  });

  it("gives quotes over exactly the report data, and names the platform", async () => {
    const source = await DstackSource.open(agent.socket);
    expect([source.kind, source.simulated, source.platformId]).to.deep.equal([
      "tdx",
      false,
      platform.platformId,
    ]);
    const { quote } = await source.quote(DATA);
    expect(quote).to.match(/^0x0400/);
    const asked = agent.asked.filter(({ path }) => path === "/GetQuote").map(({ body }) => body);
    expect(asked).to.deep.equal([{ report_data: "07".repeat(64) }]);
    for (const size of [0, 63, 65]) {
      expect(await refusal(source.quote(new Uint8Array(size)))).to.equal("tee/report-data-length");
    }
  });

  it("measures nothing again where dstack measured the boot, and refuses another app or manifest", async () => {
    const source = await DstackSource.open(agent.socket);
    await measureBoot(source, { app: APP, composeHash: HASH, instanceId: "0x" });
    expect(agent.asked.filter(({ path }) => path === "/EmitEvent")).to.deep.equal([]);
    const other = { app: APP, composeHash: `0x${"ce".repeat(32)}` as ComposeHash, instanceId: "0x" } as const;
    expect(await refusal(measureBoot(source, other))).to.equal("tee/boot-mismatch");
    const foreign = { app: `0x${"ac".repeat(20)}` as Address, composeHash: HASH, instanceId: "0x" } as const;
    expect(await refusal(measureBoot(source, foreign))).to.equal("tee/boot-mismatch");
  });

  it("believes that an event was measured when the log shows it, not when the agent says so", async () => {
    const source = await DstackSource.open(agent.socket);
    await source.extend("app-event", Uint8Array.of(1, 2));
    expect(await refusal(source.quote(DATA))).to.equal("tee/agent-event-missing");
    await refresh();
    const last = parseEventLog((await source.quote(DATA)).eventLog).at(-1);
    expect([last?.name, last?.payload]).to.deep.equal(["app-event", Uint8Array.of(1, 2)]);
  });

  it("is refused with its method when it answers nonsense, and when it is not there", async () => {
    const source = await DstackSource.open(agent.socket);
    agent.answers["/GetQuote"] = () => ({ error: "no quote" });
    expect(await refusal(source.quote(DATA))).to.equal("tee/agent-failed");
    agent.answers["/GetQuote"] = () => ({ quote: "zz", event_log: "[]", vm_config: "{}" });
    expect(await refusal(source.quote(DATA))).to.equal("tee/agent-malformed");
    expect(refusalOf(() => new DstackAgent(join(dir, "none.sock")))).to.equal("tee/agent-absent");
  });

  it("gives an app its keys again, another for each use, and none of another app", async () => {
    agent.answers["/GetKey"] = ({ path }) => ({
      key: Buffer.from(String(path).padEnd(32, ".")).toString("hex"),
      signature_chain: [],
    });
    const keys = new DstackKeys(new DstackAgent(agent.socket));
    const [one, again, volume] = [
      await keys.key(APP, "hpke"),
      await keys.key(APP, "hpke"),
      await keys.key(APP, "volume"),
    ];
    expect(one).to.deep.equal(again);
    expect(one).to.have.length(32);
    expect(volume).not.to.deep.equal(one);
    expect(await refusal(keys.key(`0x${"ac".repeat(20)}` as Address, "hpke"))).to.equal("keys/other-app");
    agent.answers["/GetKey"] = () => ({ key: "00", signature_chain: [] });
    expect(await refusal(keys.key(APP, "hpke"))).to.equal("tee/agent-malformed");
  });
});
