import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { writeFileSync } from "node:fs";

import { expect } from "chai";

import { appAbi } from "../../protocol/abi/app.ts";
import { composeHash as hashOf } from "../../protocol/manifest/composeHash.ts";
import { nodeCrypto } from "../../protocol/crypto/node.ts";
import { cidOfDigest } from "../../protocol/manifest/cid.ts";
import { endpointsSchema } from "../../protocol/session/endpoints.ts";
import { ProofSystem } from "../../protocol/words/enums.ts";
import { parseBytes32, toHex, type Address } from "../../protocol/words/hex.ts";
import { Gateway } from "../../relayer/gateway/Gateway.ts";
import { relayerRoutes } from "../../relayer/gateway/relayerRoutes.ts";
import { Upstreams } from "../../relayer/gateway/Upstreams.ts";
import { machineClock } from "../../worker/clock.ts";
import type { Runtime } from "../../worker/guest/compose/Runtime.ts";
import { guestConfigSchema } from "../../worker/guest/config.ts";
import { noHoldings } from "../../worker/guest/holdings/Holdings.ts";
import { Guest } from "../../worker/guest/Guest.ts";
import type { NoteStanding } from "../../worker/guest/note/NoteStanding.ts";
import type { GuestState } from "../../worker/guest/state.ts";
import { openSource } from "../../worker/tee/openSource.ts";
import { runCharter, type Run } from "../cli/support/runCharter.ts";
import { createApp } from "../relayer/support/app.ts";
import { newKey, Worker } from "../relayer/support/guest.ts";
import type { Program } from "../relayer/support/program.ts";
import { addressOf, startStack, type RelayerReady, type Stack } from "../relayer/support/stack.ts";
import { until } from "../relayer/support/until.ts";
import { Inbox } from "../worker/support/Inbox.ts";

/** Where containers would be: the service answers on this machine. */
const runtime: Runtime = {
  kind: "docker",
  note: "a service of this test's",
  pull: async () => undefined,
  up: async () => undefined,
  tend: async () => [],
  down: async () => undefined,
  address: async (service) => (service === "web" ? "127.0.0.1" : null),
  logs: () => null,
};

const NOTE = Buffer.from('{"title":"Says hello"}');

describe("a call over attested TLS", function () {
  this.timeout(240_000);
  let stack: Stack;
  let relayer: Program<RelayerReady>;
  let service: Server;
  let gateway: Gateway;
  let gatewayPort: number;
  let app: Address;
  let composeHash: Awaited<ReturnType<typeof hashOf>>;
  let collateralArgs: string[];
  const stop = new AbortController();
  const states = new Inbox<GuestState>();
  const notes = new Inbox<NoteStanding>();
  const received: string[] = [];
  let running: Promise<unknown> = Promise.resolve();

  before(async () => {
    stack = await startStack();
    relayer = await stack.startRelayer(await stack.relayerEnvironment());
    const { url } = relayer.ready;
    service = createServer((request, response) => {
      received.push(`${request.method} ${request.url}`);
      response.end(`${request.url} says hello`);
    }).listen(0, "127.0.0.1");
    await once(service, "listening");

    const manifest = Buffer.from(
      JSON.stringify({
        manifest_version: 2,
        name: "called",
        runner: "docker-compose",
        docker_compose_file: `services:\n  web:\n    image: busybox@sha256:${"1b".repeat(32)}\n`,
        charter: {
          lease_signers: [addressOf(2)],
          tls: { service: "web", port: (service.address() as AddressInfo).port },
        },
      }),
    );
    composeHash = await hashOf(manifest, nodeCrypto);
    const nodeKey = newKey();
    const worker = new Worker(url, stack.pki, "one");
    expect((await worker.registerNode(newKey(), nodeKey)).status).to.equal(202);
    const node = await until("the node is final", async () => {
      const answer = await fetch(`${url}/nodes/${nodeKey.address.toLowerCase()}`);
      return answer.ok ? ((await answer.json()) as { number: number; platformId: `0x${string}` }) : undefined;
    });
    const noteDigest = parseBytes32(toHex(createHash("sha256").update(NOTE).digest()));
    const created = await createApp(stack, {
      composeHash,
      noteDigest,
      platformId: node.platformId as never,
      proofSystems: [ProofSystem.Committee],
    });
    app = created.app;
    for (const [digest, body] of [
      [composeHash, manifest],
      [noteDigest, NOTE],
    ] as const) {
      await until("manifest and note are kept", async () => {
        const headers = { "content-type": "application/octet-stream" };
        return (await fetch(`${url}/ipfs/${cidOfDigest(digest)}`, { method: "PUT", headers, body })).ok;
      });
    }
    const { chainId, genesisHash, attestationLedger: ledger } = stack.deployment;
    const config = guestConfigSchema.parse({
      relayerUrls: [url],
      ...{ chainId, genesisHash, ledger, app, composeHash, release: 1, node: node.number, slot: 0 },
      simulatorDir: stack.dir,
      platform: "one",
      workdir: join(stack.dir, "guest"),
      tls: { host: "127.0.0.1" },
    });
    await until("the app is final", async () => {
      const answer = await fetch(`${url}/chain`);
      const { finalized } = (await answer.json()) as { finalized: { number: number } };
      return finalized.number >= Number(created.blockNumber);
    });
    const guest = new Guest(config, {
      clock: machineClock(),
      source: openSource({ simulatorDir: stack.dir, platform: "one" }, chainId, { app, composeHash }),
      runtime: async () => runtime,
      holdings: async () => noHoldings,
      report: states.put,
      tellNote: notes.put,
    });
    running = guest.run(stop.signal);
    running.catch((error: unknown) => states.put({ state: "failed", error: error as never }));
    const told = await states.until(({ state }) => state === "running" || state === "failed");
    expect(told.state, JSON.stringify(told)).to.equal("running");

    gateway = new Gateway({
      domain: "apps.example",
      routes: relayerRoutes({ relayerUrls: [url], maxAgeMs: 100 }),
      upstreams: new Upstreams(["127.0.0.1"]),
      maxConnections: 10,
      maxConnectionsPerAddress: 10,
    });
    gatewayPort = await gateway.listen("127.0.0.1", 0);
    const deployment = join(stack.dir, "deployment.json");
    writeFileSync(deployment, JSON.stringify(stack.deployment));
    collateralArgs = [
      "--deployment",
      deployment,
      "--root",
      join(stack.dir, "root.pem"),
      "--pcs-url",
      stack.pcsUrl,
    ];
  });
  after(async () => {
    stop.abort();
    await running.catch(() => undefined);
    await gateway?.close();
    service?.close();
    await stack?.stop();
  });

  const call = (...args: string[]): Promise<Run> =>
    runCharter(["--json", "call", app, "/hello", ...args, ...collateralArgs], {
      CHARTER_RPC_URL: stack.anvil.url,
      CHARTER_RELAYER_URL: relayer.ready.url,
    });

  it("reaches a guest that read its release's note by the digest that the relayer told", async () => {
    const note = await notes.until(() => true);
    expect(note).to.include({ note: "good", title: "Says hello" });
  });

  it("is refused while the ledger does not call the instance live, and not a byte is sent", async () => {
    const first = await call();
    if (first.exitCode !== 0) {
      // The proof may be on the chain by now, or not: before it is, nothing is sent.
      expect(first.exitCode, first.stderr).to.equal(3);
      expect(first.error().code).to.equal("call/ledger");
      expect(received).to.deep.equal([]);
    }
  });

  it("reaches the app's service once everything is shown, directly and through the gateway", async () => {
    const direct = await until("the instance is live", async () => {
      const run = await call();
      if (run.exitCode === 3) return undefined;
      return run;
    });
    expect(direct.exitCode, direct.stderr).to.equal(0);
    const result = direct.result<{
      body: string;
      checks: { name: string; ok: boolean }[];
      composeHash: string;
    }>();
    expect(result.body).to.equal("/hello says hello");
    expect(result.composeHash).to.equal(composeHash);
    expect(result.checks.map(({ name, ok }) => `${name} ${ok}`)).to.deep.equal(
      ["certificate-binding", "evidence", "report-data", "lease", "release", "ledger"].map(
        (name) => `${name} true`,
      ),
    );
    const through = await call(
      "--connect",
      `127.0.0.1:${gatewayPort}`,
      "--server-name",
      `${app.slice(2)}.apps.example`,
    );
    expect(through.exitCode, through.stderr).to.equal(0);
    expect(through.result<{ body: string }>().body).to.equal("/hello says hello");
  });

  it("passes over an instance that does not answer, and tries the next", async () => {
    // A port on which nobody listens any more.
    const gone = createServer().listen(0, "127.0.0.1");
    await once(gone, "listening");
    const { port } = gone.address() as AddressInfo;
    await new Promise((closed) => gone.close(closed));
    let asked = 0;
    const listing = createServer((request, response) => {
      void (async () => {
        const answer = await fetch(`${relayer.ready.url}${request.url}`);
        if (request.url !== `/apps/${app}/endpoints`)
          return response.end(Buffer.from(await answer.arrayBuffer()));
        asked++;
        const { endpoints } = endpointsSchema.parse(await answer.json());
        const [live] = endpoints;
        return response.end(JSON.stringify({ endpoints: [{ ...live, port }, live] }));
      })();
    }).listen(0, "127.0.0.1");
    await once(listing, "listening");
    const run = await runCharter(["--json", "call", app, "/hello", ...collateralArgs], {
      CHARTER_RPC_URL: stack.anvil.url,
      CHARTER_RELAYER_URL: `http://127.0.0.1:${(listing.address() as AddressInfo).port}`,
    });
    listing.close();
    expect(run.exitCode, run.stderr).to.equal(0);
    expect(run.result<{ body: string }>().body).to.equal("/hello says hello");
    expect(asked).to.equal(1);
  });

  it("is refused for another app's address, and by evidence under the vendor's own root", async () => {
    const before = received.length;
    const answer = await fetch(`${relayer.ready.url}/apps/${app}/endpoints`);
    const { endpoints } = endpointsSchema.parse(await answer.json());
    const port = endpoints[0]?.port;
    const other = await runCharter(
      ["--json", "call", `0x${"11".repeat(20)}`, "/", "--connect", `127.0.0.1:${port}`, ...collateralArgs],
      { CHARTER_RPC_URL: stack.anvil.url, CHARTER_RELAYER_URL: relayer.ready.url },
    );
    expect(other.exitCode).to.equal(3);
    expect(other.error().code).to.equal("call/certificate-binding");
    const genuineOnly = collateralArgs.filter((_, i, all) => all[i] !== "--root" && all[i - 1] !== "--root");
    const vendors = await runCharter(["--json", "call", app, "/", ...genuineOnly], {
      CHARTER_RPC_URL: stack.anvil.url,
      CHARTER_RELAYER_URL: relayer.ready.url,
    });
    expect(vendors.exitCode).to.equal(3);
    expect(vendors.error().code).to.equal("call/evidence");
    expect(received.length).to.equal(before);
  });

  it("is refused from the moment in which the release is revoked", async () => {
    const { client, wallet } = stack;
    const hash = await wallet.writeContract({
      address: app,
      abi: appAbi,
      functionName: "revoke",
      args: [1],
      chain: null,
      account: wallet.account!,
    });
    await client.waitForTransactionReceipt({ hash, pollingInterval: 100 });
    const before = received.length;
    const run = await call();
    expect(run.exitCode, run.stdout).to.be.oneOf([3, 4]);
    expect(run.error().code).to.be.oneOf([
      "call/release",
      "call/ledger",
      "call/unreachable",
      "call/no-instance",
    ]);
    expect(received.length).to.equal(before);
    expect(await running).to.equal("denied");
  });
});
