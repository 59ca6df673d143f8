import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";

import { reportData } from "../../../protocol/evidence/reportData.ts";
import { CharterError } from "../../../protocol/errors/CharterError.ts";
import type { InstanceRegistration } from "../../../protocol/session/messages.ts";
import { parseAddress, parseBytes32, toHex } from "../../../protocol/words/hex.ts";
import type { ComposeHash } from "../../../protocol/words/hex.ts";
import { requireInstanceConsent } from "../../../relayer/evidence/consent.ts";
import { enterInstance } from "../../../relayer/committee/enterInstance.ts";
import { InstanceKeeper, type InstanceStanding } from "../../../relayer/committee/InstanceKeeper.ts";
import { attestedKey } from "../../../relayer/keys/attestedKey.ts";
import { evidenceDigest } from "../../../protocol/evidence/facts/evidenceDigest.ts";
import { simulatedPlatform } from "../../../worker/tee/simulator/platform.ts";
import { pki } from "../../protocol/evidence/simulated.ts";
import { refusal } from "../../support/refusal.ts";
import type { DstackAgentServer } from "../../worker/support/DstackAgentServer.ts";
import { startDstackTd } from "../../worker/support/dstackTd.ts";

const CHAIN = 31_337;
const APP = parseAddress(`0x${"ab".repeat(20)}`);
const LEDGER = parseAddress(`0x${"1e".repeat(20)}`);
const BLOCK = { number: 7n, hash: parseBytes32(`0x${"07".repeat(32)}`) };
const PATIENCE_MS = 60_000;

describe("a signer that keeps itself live", () => {
  let dir: string;
  let agent: DstackAgentServer;

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), "charter-seat-"));
    agent = await startDstackTd(dir, simulatedPlatform(pki, { name: "one" }), {
      app: APP,
      composeHash: `0x${"c0".repeat(32)}` as ComposeHash,
      instanceId: toHex(new Uint8Array(20).fill(1)),
    });
  });
  afterEach(async () => {
    await agent.close();
    rmSync(dir, { recursive: true });
  });

  async function scene() {
    const key = await attestedKey({ socket: agent.socket, purpose: "committee", chainId: CHAIN });
    const entries: InstanceRegistration[] = [];
    const changes: boolean[] = [];
    const now = { ms: 0 };
    const says = { isLive: false, expiresAt: 0, time: 1_000 } as {
      -readonly [K in keyof InstanceStanding]: InstanceStanding[K];
    };
    const keeper = new InstanceKeeper({
      chainId: CHAIN,
      ledger: LEDGER,
      key,
      node: 3,
      standing: async (app, address) => {
        expect([app, address]).to.deep.equal([APP, key.account.address.toLowerCase()]);
        return { ...says };
      },
      finalBlock: async () => BLOCK,
      enter: async (entry) => void entries.push(entry),
      onStanding: ({ isLive }) => changes.push(isLive),
      onFailed: () => undefined,
      now: () => now.ms,
    });
    return { keeper, key, entries, changes, now, says };
  }

  it("signer_notLive_givesEvidenceThatBindsItsKey_once", async () => {
    const { keeper, key, entries, now } = await scene();
    await keeper.tick();
    now.ms = PATIENCE_MS - 1;
    await keeper.tick();
    expect(entries).to.have.length(1);
    const [{ app, node, key: entered, evidence, keySignature }] = entries as [InstanceRegistration];
    expect([app, node, entered]).to.deep.equal([APP, 3, key.account.address.toLowerCase()]);
    const binding = { purpose: "instance", chainId: CHAIN, consumer: LEDGER, subject: APP } as const;
    const bound = reportData({ ...binding, key: entered, blockNumber: BLOCK.number, blockHash: BLOCK.hash });
    expect(evidence.quote).to.contain(bound.slice(2));
    await requireInstanceConsent(
      { chainId: CHAIN, ledger: LEDGER },
      { app, key: entered, evidenceDigest: evidenceDigest(evidence), signature: keySignature },
    );
    now.ms = PATIENCE_MS;
    await keeper.tick();
    expect(entries, "what was given had its time").to.have.length(2);
  });

  it("signer_live_givesNewEvidenceAtHalfOfItsTime", async () => {
    const { keeper, entries, changes, says } = await scene();
    Object.assign(says, { isLive: true, expiresAt: 2_000 });
    await keeper.tick();
    says.time = 1_499;
    await keeper.tick();
    expect(entries).to.have.length(0);
    says.time = 1_500;
    await keeper.tick();
    expect(entries).to.have.length(1);
    Object.assign(says, { expiresAt: 2_500 });
    await keeper.tick();
    expect([entries.length, changes]).to.deep.equal([1, [true]]);
  });

  it("signer_liveNoMore_isEnteredAnewAtOnce", async () => {
    const { keeper, entries, changes, says } = await scene();
    await keeper.tick();
    Object.assign(says, { isLive: true, expiresAt: 9_000 });
    await keeper.tick();
    says.isLive = false;
    await keeper.tick();
    expect([entries.length, changes]).to.deep.equal([2, [false, true, false]]);
  });

  it("signer_whoseKeyOthersHave_isRefused", async () => {
    const key = await attestedKey({ socket: agent.socket, purpose: "lease", chainId: CHAIN });
    const nothing = (): never => {
      throw new Error("not asked");
    };
    const options = { chainId: CHAIN, ledger: LEDGER, node: 1, standing: nothing, finalBlock: nothing };
    const rest = { enter: nothing, onStanding: nothing, onFailed: nothing };
    expect(() => new InstanceKeeper({ ...options, ...rest, key }))
      .to.throw(CharterError)
      .with.property("code", "keys/agent-malformed");
  });

  it("enterInstance_relayersOneByOne_takesTheFirstThatAccepts", async () => {
    const { keeper, entries } = await scene();
    await keeper.tick();
    const [entry] = entries as [InstanceRegistration];
    const asked: string[] = [];
    const accepted = () => Response.json({ intent: `0x${"11".repeat(32)}` }, { status: 202 });
    const answers: Record<string, () => Response> = {
      "https://a.test/instances": () => Response.json({ error: { code: "node/unknown" } }, { status: 404 }),
      "https://b.test/instances": () => new Response("<html>"),
      "https://c.test/instances": accepted,
    };
    const fetch = (async (url: string, { body }: { body: string }) => {
      expect(JSON.parse(body)).to.deep.equal(entry);
      asked.push(url);
      return answers[url]!();
    }) as unknown as typeof globalThis.fetch;
    const urls = ["https://a.test/", "https://b.test"];
    await enterInstance([...urls, "https://c.test", "https://d.test"], entry, fetch);
    expect(asked).to.deep.equal(Object.keys(answers));
    const refused = enterInstance(urls, entry, fetch);
    expect(await refusal(refused)).to.equal("committee/entry-refused");
    await refused.catch((error: CharterError) =>
      expect(error.details).to.deep.equal({ said: ["node/unknown", "relayer/unreachable"] }),
    );
  });
});
