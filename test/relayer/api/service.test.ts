import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";

import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";
import Fastify from "fastify";
import { encodeFunctionData } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import type { PrivateKeyAccount } from "viem/accounts";

import { appAbi } from "../../../protocol/abi/app.ts";
import { attestationLedgerAbi } from "../../../protocol/abi/attestationLedger.ts";
import { cidOfDigest } from "../../../protocol/manifest/cid.ts";
import { recoverLeaseSigner } from "../../../protocol/session/lease.ts";
import {
  nodeInfoSchema,
  placementReportSchema,
  placementsSchema,
  signedLeaseSchema,
  type PlacementReport,
} from "../../../protocol/session/messages.ts";
import type { EvidenceMessage, NodeInfo } from "../../../protocol/session/messages.ts";
import { nodeReportTypedData, type NodeReport } from "../../../protocol/session/nodeReport.ts";
import { ProofSystem } from "../../../protocol/words/enums.ts";
import { parseBytes32, parseComposeHash, toHex } from "../../../protocol/words/hex.ts";
import type { Address, Bytes32, Hex } from "../../../protocol/words/hex.ts";
import { SIMULATED_IMAGE } from "../../../worker/tee/simulator/measurements.ts";
import { runCharter } from "../../cli/support/runCharter.ts";
import { createApp } from "../support/app.ts";
import { ADMIN, addressOf, startStack } from "../support/stack.ts";
import type { RelayerReady, Stack } from "../support/stack.ts";
import { chainInfo, digestOf, newKey, send, Worker } from "../support/guest.ts";
import { until } from "../support/until.ts";
import { NotReady, startProgram } from "../support/program.ts";
import type { Program } from "../support/program.ts";

const sha256 = (bytes: Uint8Array): Bytes32 =>
  parseBytes32(toHex(createHash("sha256").update(bytes).digest()));
const manifest = Buffer.from('{"manifest_version":2,"name":"hello"}');
const composeHash = parseComposeHash(sha256(manifest));
const nonce = parseBytes32(`0x${"5a".repeat(32)}`);
const lower = ({ address }: { address: string }) => address.toLowerCase() as Address;

describe("the relayer on a real chain, Postgres, vendor service and committee", function () {
  this.timeout(120_000);
  let stack: Stack;
  let environment: Record<string, string>;
  let relayer: Program<RelayerReady>;
  let worker: Worker;
  let app: Address;
  let node: NodeInfo;
  let nodeKey: PrivateKeyAccount;
  let instance: PrivateKeyAccount;
  const operatorKey = generatePrivateKey();
  let evidence: EvidenceMessage;

  before(async () => {
    stack = await startStack();
    // Its node is nobody's agent, and says little.
    environment = { ...(await stack.relayerEnvironment()), CHARTER_NODE_SILENT_SECONDS: "3600" };
    relayer = await stack.startRelayer(environment);
    worker = new Worker(relayer.ready.url, stack.pki, "one");
    instance = newKey();
  });
  after(() => stack?.stop());

  const write = async (data: Hex) => {
    const { wallet, client } = stack;
    const hash = await wallet.sendTransaction({ to: app, data, chain: null, account: wallet.account! });
    const receipt = await client.waitForTransactionReceipt({ hash, pollingInterval: 100 });
    expect(receipt.status).to.equal("success");
  };

  const final = async (block: bigint) =>
    until(
      "final",
      async () => BigInt((await chainInfo(relayer.ready.url)).finalized.number) >= block && true,
    );

  const graphql = async (query: string) =>
    (await send(relayer.ready.url, "POST", "/graphql", { query })).body;

  it("tells where it stands, and is ready", async () => {
    const info = await chainInfo(relayer.ready.url);
    expect(info.ledger).to.equal(stack.deployment.attestationLedger);
    expect((await send(relayer.ready.url, "GET", "/ready")).status).to.equal(200);
    expect((await send(relayer.ready.url, "GET", "/health")).body["status"]).to.equal("ok");
  });

  it("registers a node by its evidence", async () => {
    const key = newKey();
    const unknown = await send(relayer.ready.url, "GET", `/nodes/${lower(key)}`);
    expect(unknown.short).to.equal("404 node/unknown");
    const operator = privateKeyToAccount(operatorKey);
    expect((await worker.registerNode(operator, key)).short).to.equal("202 ok");
    node = await until("the node is final", async () => {
      const { status, body } = await send(relayer.ready.url, "GET", `/nodes/${lower(key)}`);
      return status === 200 && nodeInfoSchema.parse(body);
    });
    expect(node).to.include({ number: 1, operator: lower(operator), key: lower(key), retired: false });
    nodeKey = key;
  });

  /** What a node with room for one slot says of itself. */
  const message = async (key: PrivateKeyAccount, apps: Address[] | null = null) => {
    const { chainId, nodeRegistry } = stack.deployment;
    const report: NodeReport = {
      capacity: { cpus: 2, memoryMb: 1, diskMb: 2, diskFreeMb: 1, maxGuests: 1 },
      guests: 0,
      apps,
      tees: [{ kind: "tdx", source: "simulator", isUsable: true }],
      gpus: [{ model: "NVIDIA H100 PCIe", arch: "HOPPER", driver: null, mode: "spt" }],
      trouble: [{ code: "disk-nearly-full", note: "3 %", isBlocking: false }],
    };
    const unsigned = { report: JSON.stringify(report), at: Math.floor(Date.now() / 1_000) };
    const signature = await key.signTypedData(nodeReportTypedData(chainId, nodeRegistry, unsigned));
    return { ...unsigned, signature };
  };

  it("keeps what a registered node says of itself, with its signature", async () => {
    const [stranger, path] = [newKey(), `/nodes/${lower(nodeKey)}/report`];
    const unknown = await send(
      relayer.ready.url,
      "POST",
      `/nodes/${lower(stranger)}/report`,
      await message(stranger),
    );
    expect(unknown.short).to.equal("404 node/unknown");
    const forged = await send(relayer.ready.url, "POST", path, await message(stranger));
    expect(forged.short).to.match(/ report\/signature-invalid$/);
    const said = await message(nodeKey);
    const taken = await send(relayer.ready.url, "POST", path, said);
    // It looks ahead once an hour, and has not looked yet.
    expect([taken.short, taken.body]).to.deep.equal(["202 ok", { outlook: null }]);
    expect((await send(relayer.ready.url, "GET", path)).body).to.deep.equal(said);
    const outlook = await send(relayer.ready.url, "GET", `/nodes/${lower(nodeKey)}/outlook`);
    expect(outlook.body).to.deep.equal({ outlook: null });
  });

  it("renews a node that it knows", async () => {
    const operator = newKey();
    const key = newKey();
    expect((await worker.registerNode(operator, key)).short).to.equal("202 ok");
    const path = `/nodes/${lower(key)}`;
    const { number: registered } = await until("registered", async () => {
      const { status, body } = await send(relayer.ready.url, "GET", path);
      return status === 200 && nodeInfoSchema.parse(body);
    });
    const attestedAt = async () => {
      const { data } = await graphql(`{ liveNode(number: ${registered}) { attestedAt } }`);
      return (data as { liveNode: { attestedAt: number } }).liveNode.attestedAt;
    };
    const first = await attestedAt();
    const { number } = (await chainInfo(relayer.ready.url)).finalized;
    await final(BigInt(number) + 1n);
    expect((await worker.registerNode(operator, key)).short).to.equal("202 ok");
    await until("renewed", async () => (await attestedAt()) > first);
    const { body } = await send(relayer.ready.url, "GET", path);
    expect(nodeInfoSchema.parse(body).number).to.equal(registered);
  });

  it("places an app's replicas once its creation is final", async () => {
    const created = await createApp(stack, {
      composeHash,
      noteDigest: sha256(Buffer.from("note")),
      platformId: node.platformId,
      proofSystems: [ProofSystem.Committee],
    });
    app = created.app;
    const selector = { teeKinds: 0, gpu: false, operators: [node.operator] };
    await write(encodeFunctionData({ abi: appAbi, functionName: "setReplicas", args: [1, selector] }));
    await final(created.blockNumber);
    const placed = await until("placed", async () => {
      const { body } = await send(relayer.ready.url, "GET", `/nodes/${node.key}/placements`);
      const { placements } = placementsSchema.parse(body);
      return placements.length > 0 && placements;
    });
    expect(placed).to.deep.equal([{ app, release: 1, composeHash, slot: 0 }]);
  });

  const charter = (key: Hex, ...args: string[]) =>
    runCharter(["--json", "--relayer", relayer.ready.url, ...args], {
      CHARTER_RPC_URL: stack.anvil.url,
      CHARTER_DEPLOYMENT: environment["CHARTER_DEPLOYMENT"] ?? "",
      CHARTER_KEY: key,
    });
  const recomputed = async () => {
    const run = await charter(operatorKey, "placement", app);
    expect(run.stderr).to.equal("");
    return run.result<{
      agrees: boolean;
      drained: number[];
      placements: { node: number; why: string }[];
    }>();
  };

  it("places replicas where anyone recomputes that they belong", async () => {
    const { agrees, drained, placements } = await recomputed();
    expect([agrees, drained]).to.deep.equal([true, []]);
    expect(placements.map(({ node: at }) => at)).to.deep.equal([node.number]);
    expect(placements[0]?.why).to.be.oneOf(["home", "spare"]);
  });

  it("refuses to drain a node for a stranger", async () => {
    const run = await charter(generatePrivateKey(), "drain", String(node.number));
    expect([run.exitCode, run.error().code]).to.deep.equal([2, "drain/signature-invalid"]);
    expect((await charter(operatorKey, "drain", "99")).error().code).to.equal("node/unknown");
  });

  it("drains a node for its operator, shows it, and takes it back", async () => {
    expect((await charter(operatorKey, "drain", String(node.number))).exitCode).to.equal(0);
    const { drained, placements } = await recomputed();
    expect([drained, placements]).to.deep.equal([[node.number], []]);
    // A word is of one second: the next one waits until it is later.
    expect((await charter(operatorKey, "undrain", String(node.number))).exitCode).to.equal(0);
    expect((await recomputed()).placements).to.have.length(1);
  });

  it("gives a full node nothing new, and shows its own word for it, which anyone checks", async () => {
    const taken = await until("said", async () => {
      const said = await message(nodeKey, [app]);
      return (
        (await send(relayer.ready.url, "POST", `/nodes/${lower(nodeKey)}/report`, said)).status === 202 &&
        said
      );
    });
    await until("shared", async () => {
      const { body } = await send(relayer.ready.url, "GET", `/placements?app=${app}`);
      return placementReportSchema.parse(body).closed.length > 0;
    });
    const run = await charter(operatorKey, "placement", app);
    expect(run.result()).to.deep.include({
      agrees: true,
      closed: [{ node: node.number, reason: "full", since: taken.at }],
    });
    // It keeps what it has.
    expect((await recomputed()).placements.map(({ node: at }) => at)).to.deep.equal([node.number]);
    const text = await runCharter(["placement", app, "--relayer", relayer.ready.url], {
      CHARTER_RPC_URL: stack.anvil.url,
      CHARTER_DEPLOYMENT: environment["CHARTER_DEPLOYMENT"] ?? "",
    });
    expect(text.stdout).to.match(new RegExp(`closed: ${node.number} \\(full since .*the relayer agrees`));
  });

  it("has its word on a full node refused where the node did not say so", async () => {
    const { body } = await send(relayer.ready.url, "GET", `/placements?app=${app}`);
    const report = placementReportSchema.parse(body);
    const [closed] = report.closed as [PlacementReport["closed"][number]];
    const stranger = { ...closed, report: await message(newKey(), [app]) };
    const other = { ...closed, reason: "engine-silent" };
    const open = { ...closed, report: await message(nodeKey, []) };
    let answer: unknown;
    const liar = Fastify();
    liar.get("/placements", () => ({ ...report, closed: [answer] }));
    liar.get("/nodes/:key/report", () => stranger.report);
    liar.get("/nodes/:key/outlook", () => ({ outlook: null }));
    const url = await liar.listen({ host: "127.0.0.1", port: 0 });
    try {
      for (answer of [stranger, other, open]) {
        const run = await charter(operatorKey, "placement", app, "--relayer", url);
        expect([run.exitCode, run.error().code]).to.deep.equal([3, "placement/closed-unsigned"]);
      }
      const shown = await charter(operatorKey, "node", "show", String(node.number), "--relayer", url);
      expect([shown.exitCode, shown.error().code]).to.deep.equal([3, "node/report-unsigned"]);
    } finally {
      await liar.close();
    }
  });

  it("shows what a node says of itself, in GraphQL and to people", async () => {
    const { data } = await graphql(
      `{ liveNode(number: ${node.number}) { report { closed slots maxGuests cpus gpus { model mode } trouble { code isBlocking } } } }`,
    );
    expect(data).to.deep.equal({
      liveNode: {
        report: {
          closed: "full",
          slots: 1,
          maxGuests: 1,
          cpus: 2,
          gpus: [{ model: "NVIDIA H100 PCIe", mode: "spt" }],
          trouble: [{ code: "disk-nearly-full", isBlocking: false }],
        },
      },
    });
    const foreseen = async () => {
      const { body } = await send(relayer.ready.url, "GET", `/nodes/${lower(nodeKey)}/outlook`);
      return body["outlook"];
    };
    const before = await foreseen();
    const shown = await charter(operatorKey, "node", "show", String(node.number));
    // It looks ahead a minute after its start, which may be now.
    expect([before, await foreseen()]).to.deep.include(shown.result<{ outlook: unknown }>().outlook);
    expect(shown.result<{ report: object }>().report).to.deep.include({ closed: "full", apps: [app] });
    const listed = (await charter(operatorKey, "node", "list")).result<{ nodes: { report: unknown }[] }>();
    expect(listed.nodes.map(({ report }) => report === null)).to.deep.equal([false, true]);
  });

  it("keeps the manifest that the event names", async () => {
    const url = `${relayer.ready.url}/ipfs/${cidOfDigest(composeHash)}`;
    const stored = await fetch(url, { method: "PUT", body: manifest });
    expect(stored.status).to.equal(201);
    expect(Buffer.from(await (await fetch(url)).arrayBuffer()).equals(manifest)).to.equal(true);
  });

  it("denies a lease to a key that gave no evidence", async () => {
    const { short, body } = await worker.lease(app, instance);
    expect([short, body.error?.details["reason"]]).to.deep.equal(["403 lease/denied", "EvidenceMissing"]);
  });

  it("admits an instance by its evidence, leases at once, and the ledger comes to call it live", async () => {
    const key = lower(instance);
    evidence = await worker.evidence({ purpose: "instance", subject: app, key, composeHash });
    const accepted = await worker.registerInstance({
      app,
      node: node.number,
      key,
      signer: instance,
      evidence,
    });
    expect([accepted.short, accepted.body["release"]]).to.deep.equal(["202 ok", 1]);

    const answer = await worker.lease(app, instance, nonce);
    expect(answer.short).to.equal("200 ok");
    const signed = signedLeaseSchema.parse(answer.body);
    expect(signed.lease).to.deep.equal({ app, key, release: 1, composeHash, nonce, maxSeconds: 60 });
    const signer = await recoverLeaseSigner(31_337, stack.deployment.attestationLedger, signed);
    expect(signer).to.equal(addressOf(2));

    await until("live", async () =>
      stack.client.readContract({
        address: stack.deployment.attestationLedger,
        abi: attestationLedgerAbi,
        functionName: "isLive",
        args: [app, key],
      }),
    );
  });

  it("answers a nonce once", async () => {
    expect((await worker.lease(app, instance, nonce)).short).to.equal("409 lease/nonce-replayed");
  });

  it("answers the same evidence with the same intent", async () => {
    const key = lower(instance);
    const again = await worker.registerInstance({ app, node: node.number, key, signer: instance, evidence });
    expect(again.short).to.equal("202 ok");
  });

  const attempt = async (change: {
    key?: PrivateKeyAccount;
    signer?: PrivateKeyAccount;
    evidence?: Partial<EvidenceMessage>;
    node?: number;
    app?: Address;
  }) => {
    const signer = change.signer ?? change.key ?? instance;
    const key = lower(change.key ?? instance);
    return worker.registerInstance({
      app: change.app ?? app,
      node: change.node ?? node.number,
      key,
      signer,
      evidence: { ...evidence, ...change.evidence },
    });
  };

  it("refuses replayed evidence for another key", async () => {
    expect((await attempt({ key: newKey() })).short).to.equal("400 evidence/report-data-mismatch");
  });

  it("refuses the same evidence on another node", async () => {
    expect((await attempt({ node: 2 })).short).to.equal("409 evidence/replayed");
  });

  it("refuses an entry that another key signed", async () => {
    expect((await attempt({ signer: newKey() })).short).to.equal("400 evidence/key-signature-invalid");
  });

  it("refuses an app and a node that the chain does not know", async () => {
    expect((await attempt({ app: addressOf(9) })).short).to.equal("404 app/unknown");
    expect((await attempt({ node: 99 })).short).to.equal("404 node/unknown");
  });

  it("refuses a quote with one bit flipped", async () => {
    const at = 2 + 2 * 300;
    const digit = evidence.quote[at] === "0" ? "1" : "0";
    const quote = evidence.quote.slice(0, at) + digit + evidence.quote.slice(at + 1);
    expect((await attempt({ evidence: { quote } })).short).to.match(/^400 evidence\//);
  });

  it("refuses a block of another chain, and one that is not final", async () => {
    const blockHash = `0x${"ab".repeat(32)}` as Bytes32;
    expect((await attempt({ evidence: { blockHash } })).short).to.equal("400 evidence/block-unknown");
    const blockNumber = evidence.blockNumber + 1_000;
    expect((await attempt({ evidence: { blockNumber } })).short).to.equal("400 evidence/block-not-final");
  });

  it("refuses evidence that binds another chain id", async () => {
    const key = newKey();
    const foreign = await worker.evidence({
      purpose: "instance",
      subject: app,
      key: lower(key),
      composeHash,
      chainId: 1,
    });
    expect((await attempt({ key, evidence: foreign })).short).to.equal("400 evidence/report-data-mismatch");
  });

  it("refuses a compose hash that no release has", async () => {
    const key = newKey();
    const other = parseComposeHash(`0x${"0e".repeat(32)}`);
    const wrong = await worker.evidence({
      purpose: "instance",
      subject: app,
      key: lower(key),
      composeHash: other,
    });
    const { short, body } = await attempt({ key, evidence: wrong });
    expect([short, body.error?.details["reason"]]).to.deep.equal([
      "403 instance/denied",
      "ReleaseNotAllowed",
    ]);
  });

  it("refuses a TD in debug mode", async () => {
    const key = newKey();
    const debug = await worker.evidence({
      purpose: "instance",
      subject: app,
      key: lower(key),
      composeHash,
      debug: true,
    });
    expect((await attempt({ key, evidence: debug })).short).to.match(/^400 evidence\//);
  });

  it("refuses evidence of another platform than the node's", async () => {
    const key = newKey();
    const elsewhere = new Worker(relayer.ready.url, stack.pki, "two");
    const foreign = await elsewhere.evidence({
      purpose: "instance",
      subject: app,
      key: lower(key),
      composeHash,
    });
    expect((await attempt({ key, evidence: foreign })).short).to.equal("400 evidence/platform-mismatch");
  });

  it("refuses messages with unknown or missing fields, and says which", async () => {
    const { short, body } = await send(relayer.ready.url, "POST", "/instances", { app, extra: 1 });
    expect(short).to.equal("400 api/invalid-message");
    expect(JSON.stringify(body.error)).to.contain("evidence").and.to.contain("extra");
    const malformed = await fetch(`${relayer.ready.url}/instances`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{",
    });
    expect(malformed.status).to.equal(400);
  });

  it("shows live state in GraphQL", async () => {
    await until("the follower has seen the proof", async () => {
      const { data: seen } = (await graphql("{ liveInstances { key } }")) as {
        data: { liveInstances: unknown[] };
      };
      return seen.liveInstances.length > 0;
    });
    const { data } = (await graphql(
      "{ health { status } liveApps { id live { head releases { number allowed manifestCid } leases { key } } } liveNodes { number status }" +
        " liveInstances { key proofSystems } livePlacements { slot } liveLeases { key release } }",
    )) as { data: Record<string, unknown> };
    expect(data).to.deep.equal({
      health: { status: "ok" },
      liveApps: [
        {
          id: app,
          live: {
            head: 1,
            releases: [{ number: 1, allowed: true, manifestCid: cidOfDigest(composeHash) }],
            leases: [{ key: lower(instance) }],
          },
        },
      ],
      liveNodes: [
        { number: 1, status: "UpToDate" },
        { number: 2, status: "UpToDate" },
      ],
      liveInstances: [{ key: lower(instance), proofSystems: ["Committee"] }],
      livePlacements: [{ slot: 0 }],
      liveLeases: [{ key: lower(instance), release: 1 }],
    });
  });

  it("answers from its events what was allowed at a past time, and for no time to come", async () => {
    const ask = (hash: string, time: number) =>
      graphql(
        `{ liveBlock { newest { timestamp } } allowedAt(app: "${app}", composeHash: "${hash}", time: ${time})
           { allowed reason release endsAt events { name logIndex } } }`,
      ) as Promise<{
        data: { liveBlock: { newest: { timestamp: number } }; allowedAt: Record<string, unknown> | null };
        errors?: { extensions: { code: string } }[];
      }>;
    const { data: past } = await ask(composeHash, 1);
    expect(past.allowedAt).to.include({ allowed: false, reason: "app-unknown" });
    const { data } = await ask(composeHash, past.liveBlock.newest.timestamp);
    expect(data.allowedAt).to.include({ allowed: true, reason: "allowed", release: 1, endsAt: null });
    expect(data.allowedAt?.events).to.have.nested.property("[0].name", "AppInitialized");
    const { errors } = await ask(composeHash, past.liveBlock.newest.timestamp + 3_600);
    expect(errors?.[0]?.extensions.code).to.equal("api/time-ahead");
  });

  it("names a request in its answer and in what was decided and sent because of it", async () => {
    const ask = async (path: string, body: unknown, id: string, base = relayer.ready.url) => {
      const response = await fetch(`${base}${path}`, {
        method: "POST",
        headers: { "content-type": "application/json", "x-request-id": id },
        body: JSON.stringify(body),
      });
      await response.text();
      return response.headers.get("x-request-id");
    };
    const lines = (id: string) =>
      relayer
        .log()
        .split("\n")
        .filter((line) => line.includes(`"requestId":"${id}"`));
    const request = await worker.leaseRequest(app, newKey());
    expect(await ask("/leases", request, "asked-for-a-lease")).to.equal("asked-for-a-lease");
    const boot = Object.fromEntries(
      ["mrAggregated", "osImageHash", "appId", "composeHash", "instanceId", "deviceId"].map((name) => [
        name,
        "0x01",
      ]),
    );
    expect(await ask("/bootAuth/app", boot, "asked-for-a-boot", relayer.ready.bootAuthUrl)).to.equal(
      "asked-for-a-boot",
    );
    await until("logged", async () =>
      Promise.resolve(
        lines("asked-for-a-lease").some((line) => line.includes("lease decided")) &&
          lines("asked-for-a-boot").some((line) => line.includes("boot decided")),
      ),
    );
    // Of a registration the steps of its transaction, too, which come long after its answer.
    const steps = relayer
      .log()
      .split("\n")
      .filter((line) => line.includes('"step":"final"') && line.includes('"requestId":'));
    expect(steps).not.to.deep.equal([]);
    expect(await ask("/leases", {}, "forged\tid")).not.to.equal("forged\tid");
  });

  it("counts what it decided", async () => {
    const url = `${relayer.ready.url}/metrics`;
    expect((await send(relayer.ready.url, "GET", "/metrics")).short).to.equal("401 api/unauthorized");
    const text = await (await fetch(url, { headers: ADMIN })).text();
    expect(text).to.match(/charter_lease_decisions_total\{outcome="granted",reason="Allowed"\} [1-9]/);
    expect(text).to.match(/charter_evidence_total\{purpose="instance",result="accepted"\} [1-9]/);
    expect(text).to.match(/charter_intents\{state="final"\} [1-9]/);
    expect(text).to.match(/charter_leases_active [1-9]/);
    expect(text).to.match(/charter_keys_known [1-9]/);
    expect(text).to.match(/charter_sessions_open 0/);
    expect(text).to.match(/charter_block_number\{height="final"\} [1-9]/);
  });

  const bootInfo = () => ({
    mrAggregated: "01",
    osImageHash: SIMULATED_IMAGE.osImageHash,
    appId: app,
    composeHash,
    instanceId: "",
    deviceId: node.platformId.slice(2),
    tcbStatus: "UpToDate",
  });
  const boot = async () => (await send(relayer.ready.bootAuthUrl, "POST", "/bootAuth/app", bootInfo())).body;

  it("authorizes a boot as the contract would", async () => {
    expect(await boot()).to.deep.equal({ isAllowed: true, reason: "", gatewayAppId: "" });
    const { body } = await send(relayer.ready.bootAuthUrl, "GET", "/");
    expect(body).to.include({ status: "ok", chainId: 31_337, ethRpcUrl: stack.anvil.url });
  });

  it("goes on leasing after a restart, from what was stored, and shows what was leased before", async () => {
    expect((await worker.lease(app, instance)).short).to.equal("200 ok");
    expect(await relayer.stop()).to.equal(0);
    relayer = await stack.startRelayer(environment);
    worker = new Worker(relayer.ready.url, stack.pki, "one");
    const query = { query: "{ liveLeases { app key } }" };
    const { body } = await send(relayer.ready.url, "POST", "/graphql", query);
    expect(body).to.deep.equal({ data: { liveLeases: [{ app, key: lower(instance) }] } });
    expect((await worker.lease(app, instance)).short).to.equal("200 ok");
  });

  it("proves with one signer gone, and refuses with two gone", async () => {
    await stack.signers[0]!.stop();
    const key = newKey();
    const fresh = await worker.evidence({ purpose: "instance", subject: app, key: lower(key), composeHash });
    const of = { app, node: node.number, key: lower(key), signer: key, evidence: fresh };
    expect((await worker.registerInstance(of)).short).to.equal("202 ok");
    await until("live", () =>
      stack.client.readContract({
        address: stack.deployment.attestationLedger,
        abi: attestationLedgerAbi,
        functionName: "isLive",
        args: [app, lower(key)],
      }),
    );
    await stack.signers[1]!.stop();
    const last = newKey();
    const more = await worker.evidence({ purpose: "instance", subject: app, key: lower(last), composeHash });
    const { short } = await worker.registerInstance({
      ...of,
      key: lower(last),
      signer: last,
      evidence: more,
    });
    // What is accepted is kept; its proof waits for the committee.
    expect(short).to.equal("202 ok");
    await until("it was asked for", async () => relayer.log().includes("a proof could not be made"));
    expect(relayer.log()).to.contain("a signer's answer does not count");
  });

  it("has a signer refuse what it cannot verify, and sign one verdict only", async () => {
    const url = stack.signers[2]!.ready.url;
    const ask = (changes: object) =>
      send(url, "POST", "/committee/sign", {
        purpose: "instance",
        app,
        key: lower(instance),
        evidence,
        validUntil: 2_000_000_000,
        ...changes,
      });
    const answer = await ask({});
    expect(answer.short).to.equal("200 ok");
    expect((answer.body["verdict"] as { evidenceDigest: string }).evidenceDigest).to.equal(
      digestOf(evidence),
    );
    expect((await ask({ key: lower(newKey()) })).short).to.equal("400 evidence/report-data-mismatch");
    expect((await ask({ app: addressOf(7) })).short).to.equal("400 evidence/report-data-mismatch");
    expect((await ask({ surplus: true })).short).to.equal("400 api/invalid-message");
  });

  it("stops leasing and booting what is revoked, from the first block that holds it", async () => {
    await write(encodeFunctionData({ abi: appAbi, functionName: "revoke", args: [1] }));
    const reason = await until("denied", async () => {
      const { short, body } = await worker.lease(app, instance);
      return short === "403 lease/denied" && body.error?.details["reason"];
    });
    expect(reason).to.equal("ReleaseNotAllowed");
    expect(await boot()).to.deep.equal({
      isAllowed: false,
      reason: "Compose hash not allowed",
      gatewayAppId: "",
    });
    const { body } = await send(relayer.ready.url, "GET", `/nodes/${node.key}/placements`);
    expect(placementsSchema.parse(body).placements).to.deep.equal([]);
  });

  it("refuses to start where another program listens, with a typed error", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as AddressInfo;
    try {
      await stack.startRelayer({ ...(await stack.relayerEnvironment()), PORT: String(port) });
      expect.fail("it started");
    } catch (error) {
      expect(error).to.be.instanceOf(NotReady);
      expect((error as NotReady).exitCode).to.equal(1);
      expect((error as NotReady).log).to.contain("config/port-in-use");
    } finally {
      server.close();
    }
  });

  it("refuses to start while the chain cannot be reached", async () => {
    const other = { ...(await stack.relayerEnvironment()), CHARTER_RPC_URLS: "http://127.0.0.1:1" };
    const error = await stack.startRelayer(other).then(
      () => undefined,
      (cause: unknown) => cause,
    );
    expect(error).to.be.instanceOf(NotReady);
    expect((error as NotReady).exitCode).to.equal(1);
    expect((error as NotReady).log).to.contain("chain/unreachable");
  });

  describe("on a Postgres of its own", () => {
    let dir: string;
    const lock = () => existsSync(join(dir, "data", "postmaster.pid"));
    const ownDatabase = async () => {
      const { DATABASE_URL: _none, ...rest } = await stack.relayerEnvironment();
      return { ...rest, CHARTER_DATA_DIR: dir };
    };
    beforeEach(() => {
      dir = mkdtempSync(join(tmpdir(), "charter-own-"));
      chmodSync(dir, 0o755); // Postgres runs as another account when we are root.
    });
    afterEach(() => rmSync(dir, { recursive: true, force: true }));

    it("starts it, follows the chain, serves the explorer, and leaves nothing running", async () => {
      const web = join(dir, "web");
      mkdirSync(web);
      writeFileSync(join(web, "index.html"), "<!doctype html><title>Charter</title>");
      const own = await stack.startRelayer({ ...(await ownDatabase()), CHARTER_WEB_DIR: web });
      const page = await fetch(`${own.ready.url}/`);
      expect(await page.text()).to.contain("<title>Charter</title>");
      expect(page.headers.get("content-security-policy")).to.contain("default-src 'self'");
      expect(page.headers.get("x-content-type-options")).to.equal("nosniff");
      expect((await send(own.ready.url, "GET", "/ready")).status).to.equal(200);
      expect(await own.stop()).to.equal(0);
      expect(lock()).to.equal(false);
    });

    it("leaves nothing running when it is stopped half-way through its start", async () => {
      const starting = startProgram("relayer/main.ts", await ownDatabase(), (child) => {
        void until("Postgres has started", async () => lock()).then(() => child.kill("SIGINT"));
      });
      const outcome = await starting.then(
        (program) => program.stop(), // It was ready before the signal came: then this is the stop.
        (error: unknown) => (error as NotReady).exitCode,
      );
      expect(outcome).to.equal(0);
      expect(lock()).to.equal(false);
    });
  });

  describe("when the chain goes away", () => {
    it("denies every boot, and logs no key", async () => {
      await stack.anvil.stop();
      const answer = await until("unavailable", async () => {
        const now = await boot();
        return now["reason"] === "authorization backend unavailable" && now;
      });
      expect(answer).to.deep.equal({
        isAllowed: false,
        reason: "authorization backend unavailable",
        gatewayAppId: "",
      });
      expect((await send(relayer.ready.bootAuthUrl, "GET", "/")).status).to.equal(500);
      expect((await send(relayer.ready.url, "GET", "/ready")).status).to.equal(503);
      expect(await relayer.stop()).to.equal(0);
      for (const key of [environment["CHARTER_OUTBOX_KEY"]!, environment["CHARTER_LEASE_KEY"]!]) {
        expect(relayer.log()).not.to.contain(key.slice(2));
      }
    });
  });
});
