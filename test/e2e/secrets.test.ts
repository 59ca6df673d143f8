import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";
import { attestationLedgerAbi } from "../../protocol/abi/attestationLedger.ts";
import { Pool } from "pg";
import type { PrivateKeyAccount } from "viem/accounts";

import { sealSecret, encodeSecret } from "../../protocol/keys/secretEnvelope.ts";
import { cidOfDigest } from "../../protocol/manifest/cid.ts";
import { KeyPurpose, signKeyBinding } from "../../protocol/keys/keyBinding.ts";
import { leaseDomain, leaseRequestTypes } from "../../protocol/session/domains.ts";
import { keyBindingMessage, keyBindingsSchema } from "../../protocol/session/secretMessages.ts";
import { nodeInfoSchema, type NodeInfo } from "../../protocol/session/messages.ts";
import { ProofSystem } from "../../protocol/words/enums.ts";
import {
  parseBytes32,
  parseComposeHash,
  toHex,
  type Address,
  type ComposeHash,
} from "../../protocol/words/hex.ts";
import { machineClock, type Clock } from "../../worker/clock.ts";
import type { Runtime } from "../../worker/guest/compose/Runtime.ts";
import { guestConfigSchema } from "../../worker/guest/config.ts";
import { Guest } from "../../worker/guest/Guest.ts";
import { heldPaths, openHoldings } from "../../worker/guest/holdings/openHoldings.ts";
import type { GuestState } from "../../worker/guest/state.ts";
import { openSource } from "../../worker/tee/openSource.ts";
import { runCharter, type Run } from "../cli/support/runCharter.ts";
import { createApp } from "../relayer/support/app.ts";
import { newKey, newNonce, send, Worker } from "../relayer/support/guest.ts";
import { addressOf, keyOf, startStack, type RelayerReady, type Stack } from "../relayer/support/stack.ts";
import type { Program } from "../relayer/support/program.ts";
import { until } from "../relayer/support/until.ts";
import { Inbox } from "../worker/support/Inbox.ts";

const FIRST = "the-first-value-that-nobody-may-see";
const SECOND = "the-second-value-that-nobody-may-see";
const MANIFEST = Buffer.from(
  JSON.stringify({
    manifest_version: 2,
    name: "secretive",
    runner: "docker-compose",
    docker_compose_file: `{services: {web: {image: "busybox@sha256:${"1b".repeat(32)}"}, other: {image: "busybox@sha256:${"1b".repeat(32)}"}}}`,
    charter: {
      lease_signers: [addressOf(2)],
      max_lease_seconds: 60,
      secret_signers: [addressOf(0)],
      secrets: [{ name: "API_TOKEN", services: ["web"] }],
    },
  }),
);

/** Nothing of an engine: what a guest holds for containers is looked at directly. */
const silent: Runtime = {
  kind: "docker",
  note: "none",
  pull: () => Promise.resolve(),
  up: () => Promise.resolve(),
  tend: () => Promise.resolve([]),
  down: () => Promise.resolve(),
  address: () => Promise.resolve(null),
  logs: () => null,
};

/** The machine's clock ten times as fast: leases, renewals and looks for newer values alike. */
function fastClock(): Clock {
  const machine = machineClock();
  return { now: () => machine.now() * 10, sleep: (ms, signal) => machine.sleep(ms / 10, signal) };
}

interface RunningGuest {
  readonly account: PrivateKeyAccount;
  readonly states: Inbox<GuestState>;
  /** Where `web` would find its secrets. */
  readonly directory: string;
  readonly stop: () => Promise<unknown>;
}

describe("an app's secrets, from the command line to its instances", function () {
  this.timeout(180_000);
  let stack: Stack;
  let dir: string;
  let environment: Record<string, string>;
  let relayer: Program<RelayerReady>;
  let node: NodeInfo;
  let app: Address;
  let composeHash: ComposeHash;
  let pool: Pool;
  const guests: RunningGuest[] = [];

  before(async () => {
    dir = mkdtempSync(join(tmpdir(), "charter-secrets-"));
    stack = await startStack();
    environment = await stack.relayerEnvironment();
    relayer = await stack.startRelayer(environment);
    pool = new Pool({ connectionString: environment["DATABASE_URL"] });
    const [operator, key] = [newKey(), newKey()];
    await new Worker(relayer.ready.url, stack.pki, "one").registerNode(operator, key);
    node = await until("the node is final", async () => {
      const { status, body } = await send(relayer.ready.url, "GET", `/nodes/${key.address.toLowerCase()}`);
      return status === 200 && nodeInfoSchema.parse(body);
    });
    const digest = toHex(createHash("sha256").update(MANIFEST).digest());
    composeHash = parseComposeHash(digest);
    const created = await createApp(stack, {
      composeHash,
      noteDigest: parseBytes32(`0x${"0e".repeat(32)}`),
      platformId: node.platformId,
      proofSystems: [ProofSystem.Committee],
    });
    app = created.app;
    await until("the manifest is kept", async () => {
      const url = `${relayer.ready.url}/ipfs/${cidOfDigest(parseBytes32(digest))}`;
      return (await fetch(url, { method: "PUT", body: MANIFEST })).status === 201;
    });
    await until("the app is final", async () => {
      const { body } = await send(relayer.ready.url, "GET", "/chain");
      return (body as unknown as { finalized: { number: number } }).finalized.number >= created.blockNumber;
    });
  });
  after(async () => {
    for (const guest of guests) await guest.stop();
    await pool?.end();
    await stack?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  /** A guest of its own key in this process; its containers are left out. */
  function start(name: string): RunningGuest {
    const config = guestConfigSchema.parse({
      relayerUrls: [relayer.ready.url],
      chainId: stack.deployment.chainId,
      genesisHash: stack.deployment.genesisHash,
      ledger: stack.deployment.attestationLedger,
      ...{ app, composeHash, release: 1, node: node.number, slot: 0 },
      simulatorDir: stack.dir,
      platform: "one",
      workdir: join(dir, name),
    });
    const states = new Inbox<GuestState>();
    const clock = fastClock();
    const stop = new AbortController();
    let directory = "";
    const account = newKey();
    const guest = new Guest(config, {
      account,
      clock,
      source: openSource({ simulatorDir: stack.dir, platform: "one" }, config.chainId, { app, composeHash }),
      report: states.put,
      runtime: () => Promise.resolve(silent),
      holdings: (project, manifest) => {
        const { secrets } = heldPaths(config, project, manifest);
        expect([...(secrets?.keys() ?? [])]).to.deep.equal(["web"]);
        directory = secrets?.get("web") ?? "";
        return openHoldings(config, project, manifest, { clock, report: states.put });
      },
    });
    const running = guest.run(stop.signal);
    const started: RunningGuest = {
      account,
      states,
      get directory() {
        return directory;
      },
      stop: () => {
        stop.abort();
        return running;
      },
    };
    guests.push(started);
    return started;
  }

  const charter = (args: readonly string[], key = 0): Promise<Run> => {
    const book = join(stack.dir, "deployment.json");
    const global = ["--json", "--rpc", stack.anvil.url, "--relayer", relayer.ready.url, "--deployment", book];
    return runCharter([...global, ...args], { CHARTER_KEY: keyOf(key) });
  };
  const give = (verb: "set" | "rotate", value: string, key = 0): Promise<Run> => {
    const file = join(dir, "value");
    writeFileSync(file, value);
    return charter(["secret", verb, app, "API_TOKEN", "--value-file", file], key);
  };
  const valueIn = (guest: RunningGuest) => readFileSync(join(guest.directory, "API_TOKEN"), "utf8");
  const first = () => guests[0] as RunningGuest;
  const second = () => guests[1] as RunningGuest;

  it("seals nothing before an instance is live, and then only what a named signer signs", async () => {
    expect((await give("set", FIRST)).error().code).to.equal("secret/no-live-instance");
    const guest = start("one");
    const told = await guest.states.until(({ state }) => state === "awaiting-secrets");
    expect(told).to.deep.include({ names: ["API_TOKEN"] });
    const stranger = await until("the instance is live", async () => {
      const run = await give("set", FIRST, 5);
      return run.error().code !== "secret/no-live-instance" && run;
    });
    expect([stranger.exitCode, stranger.error().code]).to.deep.equal([2, "secret/signer-not-named"]);
    expect(readdirSync(guest.directory)).to.deep.equal([]);
    expect((await give("rotate", FIRST)).error().code).to.equal("secret/not-set");

    const done = await give("set", FIRST);
    expect(done.exitCode, done.stderr).to.equal(0);
    await guest.states.until(({ state }) => state === "running");
    expect(valueIn(guest)).to.equal(FIRST);
  });

  it("gives an instance that starts later the same", async () => {
    const guest = start("two");
    await guest.states.until(({ state }) => state === "running");
    expect(valueIn(guest)).to.equal(FIRST);
    expect(guest.states.all.map(({ state }) => state)).not.to.include("awaiting-secrets");
  });

  it("is delivered to nobody without a lease", async () => {
    const stranger = newKey();
    const answer = await new Worker(relayer.ready.url, stack.pki, "one").lease(app, stranger, newNonce());
    expect(answer.short).to.equal("403 lease/denied");
    const request = {
      app,
      key: stranger.address.toLowerCase(),
      nonce: newNonce(),
      signature: `0x${"11".repeat(65)}`,
    };
    const forged = await send(relayer.ready.url, "POST", "/secrets/deliveries", request);
    expect(forged.short).to.equal("400 lease/signature-invalid");
    const signature = await stranger.signTypedData({
      domain: leaseDomain(stack.deployment.chainId, stack.deployment.attestationLedger),
      types: leaseRequestTypes,
      primaryType: "LeaseRequest",
      message: { app, nonce: request.nonce },
    });
    const delivery = await send(relayer.ready.url, "POST", "/secrets/deliveries", { ...request, signature });
    expect(delivery.short).to.equal("403 lease/denied");
    expect(JSON.stringify(delivery.body)).not.to.include("envelope");
  });

  it("is sealed to nothing but the key that all live instances tell", async () => {
    const { chainId, attestationLedger: ledger } = stack.deployment;
    const publish = async (account: PrivateKeyAccount, publicKey: Uint8Array, notAfter: number) => {
      const instance = account.address.toLowerCase() as Address;
      const binding = { chainId, ledger, app, instance, purpose: KeyPurpose.Hpke, publicKey, notAfter };
      const message = keyBindingMessage(await signKeyBinding(account, binding));
      return (await send(relayer.ready.url, "POST", "/bindings", message)).short;
    };
    const now = Math.floor(Date.now() / 1_000);
    const other = new Uint8Array(32).fill(9);
    expect(await publish(newKey(), other, now + 60)).to.equal("404 instance/unknown");
    expect(await publish(second().account, other, now + 90_000)).to.equal("400 keys/binding-too-long");
    const { rows } = await pool.query<{ public_key: Buffer; not_after: string }>(
      "SELECT * FROM key_bindings WHERE instance = $1",
      [second().account.address.toLowerCase()],
    );
    const [told] = rows;
    expect(await publish(second().account, other, Number(told?.not_after) + 1)).to.equal("201 ok");
    // Until then the command does not ask it: a value would be sealed to the first one's key alone.
    await until("the second instance is live", () =>
      stack.client.readContract({
        address: ledger,
        abi: attestationLedgerAbi,
        functionName: "isLive",
        args: [app, second().account.address],
      }),
    );
    expect((await give("rotate", "x")).error().code).to.equal("secret/keys-differ");
    const again = await publish(second().account, told?.public_key ?? other, Number(told?.not_after) + 2);
    expect(again).to.equal("201 ok");
  });

  it("rotates in running instances, and a value that no signer signed is not taken", async () => {
    expect((await give("rotate", SECOND)).exitCode).to.equal(0);
    for (const guest of guests) {
      await guest.states.until(({ state }) => state === "secrets-changed");
      expect(valueIn(guest)).to.equal(SECOND);
    }

    // A relayer that seals a value of its own to the app's public key, which everybody knows.
    const { bindings } = keyBindingsSchema.parse(
      (await send(relayer.ready.url, "GET", `/apps/${app}/bindings`)).body,
    );
    const counter = Date.now() + 1_000;
    const label = { chainId: stack.deployment.chainId, app, name: "API_TOKEN", counter };
    const publicKey = bindings[0]?.publicKey ?? new Uint8Array();
    const forged = Buffer.from(
      encodeSecret(await sealSecret(publicKey, label, Buffer.from("forged"))),
    ).toString();
    const digest = toHex(createHash("sha256").update(forged).digest());
    const kept = await pool.query("SELECT * FROM secrets WHERE app = $1", [app]);
    const put = (row: Record<string, unknown>) =>
      pool.query("UPDATE secrets SET counter = $2, digest = $3, envelope = $4 WHERE app = $1", [
        app,
        row["counter"],
        row["digest"],
        row["envelope"],
      ]);
    await put({ counter, digest, envelope: forged });
    const told = await first().states.until(({ state }) => state === "secrets-failed");
    expect(told).to.have.nested.property("error.code", "secret/signer-not-named");
    // And an older one than was given before.
    await put({ ...(kept.rows[0] as object), counter: 1 });
    await first().states.until(
      (state) => state.state === "secrets-failed" && state.error.code === "secret/rolled-back",
    );
    expect(valueIn(first())).to.equal(SECOND);
    await put(kept.rows[0] as Record<string, unknown>);
  });

  it("shows no value in the relayer's database and log, on the chain, or in what guests and commands say", async () => {
    const listed = await charter(["secret", "list", app]);
    expect(listed.stdout).to.include("API_TOKEN");
    const { rows: tables } = await pool.query<{ tablename: string }>(
      "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
    );
    expect(tables.map(({ tablename }) => tablename)).to.include("secrets");
    const database = await Promise.all(
      tables.map(async ({ tablename }) =>
        JSON.stringify((await pool.query(`SELECT t::text FROM "${tablename}" t`)).rows),
      ),
    );
    const height = await stack.client.getBlockNumber();
    const blocks: unknown[] = [];
    for (let number = 0n; number <= height; number++) {
      blocks.push(await stack.client.getBlock({ blockNumber: number, includeTransactions: true }));
    }
    const text = (value: unknown) =>
      JSON.stringify(value, (_key, inner: unknown) => (typeof inner === "bigint" ? inner.toString() : inner));
    const everything = [
      ...database,
      relayer.log(),
      ...stack.signers.map(({ log }) => log()),
      text(blocks),
      text(await stack.client.getLogs({ fromBlock: 0n, toBlock: height })),
      text(guests.map(({ states }) => states.all)),
      listed.stdout + listed.stderr,
    ].join("\n");
    expect(everything).to.include(app.slice(2)); // It is the right place to look.
    for (const value of [FIRST, SECOND].map((plain) => Buffer.from(plain))) {
      for (const form of [
        value.toString(),
        value.toString("hex"),
        value.toString("base64").replace(/=+$/, ""),
      ]) {
        expect(everything.includes(form), form).to.equal(false);
      }
    }
  });

  it("is gone from running instances when it is removed, and from memory when they stop", async () => {
    expect((await charter(["secret", "remove", app, "API_TOKEN"])).exitCode).to.equal(0);
    await first().states.until(({ state }) => state === "secrets-changed");
    expect(readdirSync(first().directory)).to.deep.equal([]);
    const { secrets } = (await charter(["secret", "list", app])).result<{
      secrets: { removed: boolean }[];
    }>();
    expect(secrets.map(({ removed }) => removed)).to.deep.equal([true]);

    expect((await give("set", FIRST)).exitCode).to.equal(0);
    await second().states.until(
      (state) => state.state === "secrets-changed" && existsSync(join(second().directory, "API_TOKEN")),
    );
    const { directory } = second();
    await second().stop();
    expect(existsSync(directory)).to.equal(false);
  });
});
