import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";

import { secretChangeTypedData } from "../../../protocol/keys/secretChange.ts";
import { encodeSecret, sealSecret, secretKeys } from "../../../protocol/keys/secretEnvelope.ts";
import type { Delivery, StoredSecret } from "../../../protocol/session/secretMessages.ts";
import { toHex, type Address, type Bytes32, type ComposeHash } from "../../../protocol/words/hex.ts";
import type { HoldingsTerms } from "../../../worker/guest/holdings/Holdings.ts";
import { SecretCounters } from "../../../worker/guest/holdings/SecretCounters.ts";
import { SecretFiles } from "../../../worker/guest/holdings/SecretFiles.ts";
import { SecretsHolding } from "../../../worker/guest/holdings/SecretsHolding.ts";
import type { GuestState } from "../../../worker/guest/state.ts";
import { SimulatorKeys } from "../../../worker/keys/SimulatorKeys.ts";
import { RelayerClient } from "../../../worker/session/RelayerClient.ts";
import { loadOrCreateTestPki } from "../../../worker/tee/simulator/pki.ts";
import { until } from "../../relayer/support/until.ts";
import { refusal } from "../../support/refusal.ts";
import { ManualClock } from "../support/ManualClock.ts";
import { CHAIN, LEASE_ACCOUNT, TestRelayer } from "../support/TestRelayer.ts";
import { Inbox } from "../support/Inbox.ts";

const APP = `0x${"ab".repeat(20)}` as Address;
const setter = privateKeyToAccount(`0x${"5e".repeat(32)}`);
const { chainId, ledger } = CHAIN;

describe("an instance's secrets", () => {
  let dir: string;
  let memory: string;
  let relayer: TestRelayer;
  let source: SimulatorKeys;
  let states: Inbox<GuestState>;
  let clock: ManualClock;
  let stopping: AbortController;
  let opened: SecretsHolding[];

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), "charter-secrets-"));
    memory = mkdtempSync("/dev/shm/charter-secrets-");
    relayer = await new TestRelayer(loadOrCreateTestPki(dir)).start();
    source = new SimulatorKeys(dir, chainId);
    states = new Inbox();
    clock = new ManualClock();
    stopping = new AbortController();
    opened = [];
  });
  afterEach(async () => {
    stopping.abort();
    for (const holding of opened) await holding.close();
    await relayer.server.close();
    for (const each of [dir, memory]) rmSync(each, { recursive: true, force: true });
  });

  /** A value as its setter signed it. */
  const secret = async (counter: number, value: string, name = "TOKEN"): Promise<StoredSecret> => {
    const { publicKey } = await secretKeys(await source.key(APP, "hpke"));
    const label = { chainId, app: APP, name, counter };
    const envelope = Buffer.from(
      encodeSecret(await sealSecret(publicKey, label, Buffer.from(value))),
    ).toString();
    const digest = toHex(createHash("sha256").update(envelope).digest()) as Bytes32;
    const signature = await setter.signTypedData(
      secretChangeTypedData({ chainId, ledger, app: APP, name, counter, digest }),
    );
    return { name, counter, digest, envelope, signature };
  };
  /** An instance of its own key, as every start has one. */
  const start = (names: readonly string[] = ["TOKEN"]) => {
    const account = privateKeyToAccount(generatePrivateKey());
    relayer.attested.set(account.address.toLowerCase() as Address, `0x${"11".repeat(32)}` as ComposeHash);
    const files = new SecretFiles(join(memory, `guest-${opened.length}`), ["web"]);
    const holding = new SecretsHolding({
      ...{ chainId, ledger, app: APP, source, files, clock },
      wanted: names.map((name) => ({ name, services: ["web"] })),
      signers: [setter.address.toLowerCase() as Address],
      leaseSigners: [LEASE_ACCOUNT.address.toLowerCase() as Address],
      report: states.put,
      now: () => Math.floor(Date.now() / 1_000),
    });
    opened.push(holding);
    const terms: HoldingsTerms = { account, relayers: [new RelayerClient(relayer.url, 5_000)] };
    const path = (name = "TOKEN") => join(files.directoryOf("web"), name);
    return { holding, terms, path, open: () => holding.open(terms, stopping.signal) };
  };
  const refusedWith = async (running: Promise<void>): Promise<string> => {
    const state = await states.until((one) => one.state === "secrets-failed");
    await states.until((one) => one.state === "awaiting-secrets");
    stopping.abort();
    await running;
    return state.state === "secrets-failed" ? state.error.code : "";
  };

  it("are those that a lease signer says are of now", async () => {
    relayer.secrets = [await secret(7, "seven")];
    const { open, path } = start();
    await open();
    expect(readFileSync(path(), "utf8")).to.equal("seven");
  });

  it("are not taken from whoever only carries them: unsigned by a lease signer", async () => {
    relayer.secrets = [await secret(7, "seven")];
    relayer.signer = privateKeyToAccount(generatePrivateKey());
    const { open, path } = start();
    expect(await refusedWith(open())).to.equal("secret/delivery-unsigned");
    expect(existsSync(path())).to.equal(false);
  });

  it("are not taken when an earlier delivery is given again, nor one with a secret exchanged", async () => {
    const [old, young] = [await secret(7, "old"), await secret(8, "young")];
    let first: Delivery | undefined;
    relayer.secrets = [old];
    relayer.bendDelivery = (delivery) => (first ??= delivery);
    await start().open(); // Whoever stands between has this one now.
    relayer.secrets = [young];
    expect(await refusedWith(start().open())).to.equal("secret/delivery-unsigned");
    stopping = new AbortController();
    relayer.bendDelivery = (delivery) => ({ ...delivery, secrets: [old] });
    expect(await refusedWith(start().open())).to.equal("secret/delivery-unsigned");
  });

  it("are not older than an earlier instance had, where the volume remembers", async () => {
    const volume = new SecretCounters(dir);
    relayer.secrets = [await secret(8, "young"), await secret(3, "other", "OTHER")];
    const first = start(["TOKEN", "OTHER"]);
    await first.open();
    await first.holding.keepIn(volume);
    relayer.secrets = [await secret(7, "old")];
    const second = start();
    await second.open();
    expect(await refusal(second.holding.keepIn(volume))).to.equal("secret/rolled-back");
    relayer.secrets = [await secret(9, "new")];
    const third = start();
    await third.open();
    await third.holding.keepIn(volume);
    // What this release does not name is remembered all the same.
    expect([...(await volume.read())]).to.deep.equal([
      ["TOKEN", 9],
      ["OTHER", 3],
    ]);
  });

  it("raise what the volume remembers when they change while containers run", async () => {
    const volume = new SecretCounters(dir);
    relayer.secrets = [await secret(7, "seven")];
    const { open, holding, terms, path } = start();
    await open();
    await holding.keepIn(volume);
    relayer.secrets = [await secret(8, "eight")];
    const tending = holding.tend(terms, stopping.signal);
    clock.advance(10_000);
    await states.until(({ state }) => state === "secrets-changed");
    stopping.abort();
    await tending;
    expect(readFileSync(path(), "utf8")).to.equal("eight");
    expect((await volume.read()).get("TOKEN")).to.equal(8);
  });

  it("are remembered by the volume as soon as it takes them, where it was full before", async () => {
    const volume = new SecretCounters(dir);
    relayer.secrets = [await secret(7, "seven")];
    const { open, holding, terms } = start();
    await open();
    await holding.keepIn(volume);
    const blocking = join(dir, ".charter-secret-counters.next");
    mkdirSync(blocking); // What is written first cannot be.
    relayer.secrets = [await secret(8, "eight")];
    const tending = holding.tend(terms, stopping.signal);
    clock.advance(10_000);
    await states.until(({ state }) => state === "secrets-failed");
    await states.until(({ state }) => state === "secrets-changed");
    expect((await volume.read()).get("TOKEN")).to.equal(7);
    rmSync(blocking, { recursive: true });
    clock.advance(10_000);
    await until("the volume knows", async () => (await volume.read()).get("TOKEN") === 8 || undefined);
    stopping.abort();
    await tending;
  });

  it("are not opened on a volume whose memory cannot be read", async () => {
    mkdirSync(join(dir, "volume"));
    writeFileSync(join(dir, "volume", ".charter-secret-counters"), '{"TOKEN": -1}');
    expect(await refusal(new SecretCounters(join(dir, "volume")).read())).to.equal(
      "secret/counters-malformed",
    );
  });
});
