import { randomInt } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";

import type { Address, ComposeHash } from "../../../../protocol/words/hex.ts";
import { machineClock } from "../../../../worker/clock.ts";
import { dryRuntime } from "../../../../worker/guest/compose/Runtime.ts";
import { parseGuestConfig } from "../../../../worker/guest/config.ts";
import type { GuestState } from "../../../../worker/guest/state.ts";
import { TlsFront } from "../../../../worker/guest/tls/TlsFront.ts";
import type { GuestExit, GuestSpec } from "../../../../worker/node/drivers/Driver.ts";
import { VmmClient } from "../../../../worker/node/drivers/vmm/VmmClient.ts";
import { VmmDriver } from "../../../../worker/node/drivers/vmm/VmmDriver.ts";
import { guestId, Guests } from "../../../../worker/node/Guests.ts";
import type { NodeFile } from "../../../../worker/node/nodeFile.ts";
import { RelayerClient } from "../../../../worker/session/RelayerClient.ts";
import { createTestPki } from "../../../../worker/tee/simulator/pki.ts";
import { refusal } from "../../../support/refusal.ts";
import { Inbox } from "../../support/Inbox.ts";
import { CHAIN, LEASE_ACCOUNT, TestRelayer } from "../../support/TestRelayer.ts";
import { VmmServer } from "../../support/VmmServer.ts";

const APP = `0x${"ab".repeat(20)}` as Address;
/** On that port of loopback, or on a free one. */
const listening = (port: number): Promise<Server> =>
  new Promise((done, fail) => {
    const server = createServer().once("error", fail);
    server.listen({ host: "127.0.0.1", port }, () => done(server));
  });
type Told = Readonly<Record<string, unknown>>;

describe("VMs of dstack-vmm", function () {
  this.timeout(60_000);
  let dir: string;
  let vmm: VmmServer;
  let relayer: TestRelayer;
  let manifest: Buffer;
  let spec: GuestSpec;
  let told: Inbox<Told>;

  before(async () => {
    relayer = await new TestRelayer(createTestPki()).start();
    manifest = Buffer.from(
      JSON.stringify({
        manifest_version: 2,
        name: "hello",
        runner: "docker-compose",
        docker_compose_file: "services: {web: {image: busybox, ports: ['8443:8443']}}",
        kms_enabled: true,
        charter: { lease_signers: [LEASE_ACCOUNT.address] },
      }),
    );
    const composeHash = await relayer.keep(manifest);
    const placement = { app: APP, slot: 0, release: 2, composeHash };
    spec = { id: guestId(placement), node: 5, ...placement };
  });
  after(() => relayer.server.close());
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), "charter-vmm-"));
    vmm = await new VmmServer().start();
    told = new Inbox();
  });
  afterEach(async () => {
    await vmm.close();
    rmSync(dir, { recursive: true });
  });

  const driver = (changes: Partial<NonNullable<NodeFile["vmm"]>> = {}, tls?: NonNullable<NodeFile["tls"]>) =>
    new VmmDriver({
      client: new VmmClient(vmm.url, 5_000),
      relayers: [new RelayerClient(relayer.url)],
      common: {
        relayerUrls: [relayer.url],
        chainId: CHAIN.chainId,
        genesisHash: CHAIN.genesisHash,
        ledger: CHAIN.ledger,
        evidence: "simulator",
        simulatorDir: dir,
        platform: "one",
        hostPorts: [8443],
        ...(tls === undefined ? {} : { tls }),
      },
      prefix: "charter-0badc0de-",
      vm: {
        image: "dstack-charter-0.5.4",
        vcpu: 2,
        memoryMb: 2_048,
        diskGb: 20,
        kmsUrls: [],
        gatewayUrls: [],
        gpuSlots: [],
        tlsPorts: { from: 18_000, to: 18_999 },
        keepOnStop: false,
        ...changes,
      },
      hostPorts: [8443],
      clock: machineClock(),
      onLine: (_, line) => told.put(JSON.parse(line) as Told),
      pollMilliseconds: 5,
    });
  const started = (one = driver()) => {
    let end: (exit: GuestExit) => void;
    const exited = new Promise<GuestExit>((done) => (end = done));
    one.start(spec, (exit) => end(exit));
    return { one, exited };
  };
  const only = () => {
    expect(vmm.vms.size).to.equal(1);
    return [...vmm.vms.values()][0] as NonNullable<ReturnType<typeof vmm.vms.get>>;
  };

  it("are of the manifest's exact bytes, for the app's address, and told what a guest needs to know", async () => {
    const { one, exited } = started(driver({ gpuSlots: ["65:00.0"] }));
    await told.until(({ state }) => state === "booting");
    const vm = only();
    expect(Buffer.from(vm.configuration.compose_file)).to.deep.equal(manifest);
    expect(vm.configuration).to.deep.include({
      name: `charter-0badc0de-${spec.id}`,
      image: "dstack-charter-0.5.4",
      app_id: APP.slice(2),
      ports: [{ protocol: "tcp", host_port: 8443, vm_port: 8443, host_address: "" }],
      gpus: { attach_mode: "listed", gpus: [{ slot: "65:00.0" }] },
    });
    const guest = parseGuestConfig(vm.configuration.user_config, true);
    expect(guest).to.include({ app: APP, release: 2, node: 5, evidence: "machine", runtime: "docker" });
    expect(guest).not.to.have.any.keys("simulatorDir", "platform", "places");
    vm.bootProgress = "done";
    await told.until(({ state }) => state === "running");
    await one.stop(spec.id);
    expect(await exited).to.deep.equal({ id: spec.id, code: 0, signal: null });
    expect(vmm.called).to.deep.equal(["GetComposeHash", "CreateVm", "ShutdownVm", "RemoveVm"]);
    expect([vmm.vms.size, one.list().length]).to.deep.equal([0, 0]);
  });

  it("are not made where dstack would measure another compose hash", async () => {
    vmm.bendHash = (hash) => hash.replace(/^./, (digit) => (digit === "0" ? "1" : "0"));
    const { exited } = started();
    expect(await exited).to.include({ code: null });
    expect((told.all[0]?.error as { code: string }).code).to.equal("vmm/compose-hash-mismatch");
    expect(vmm.called).to.deep.equal(["GetComposeHash"]);
  });

  it("are not made for an app whose volume must outlive them: their disk is removed with them", async () => {
    const charter = { lease_signers: [LEASE_ACCOUNT.address], persistent: true };
    const text = JSON.stringify({ ...(JSON.parse(manifest.toString()) as object), charter });
    const composeHash = await relayer.keep(Buffer.from(text));
    await new Promise((done) => driver().start({ ...spec, composeHash }, done));
    expect((told.all[0]?.error as { code: string }).code).to.equal("vmm/volume-not-kept");
    expect(vmm.called).to.deep.equal([]);
  });

  it("are not made of a manifest that no relayer has", async () => {
    const lost = { ...spec, composeHash: `0x${"cd".repeat(32)}` as ComposeHash };
    await new Promise((done) => driver().start(lost, done));
    expect(told.all.map(({ state }) => state)).to.deep.equal(["failed"]);
    expect(vmm.called).to.deep.equal([]);
  });

  it("that end are removed, and the node is told", async () => {
    const { one, exited } = started();
    await told.until(({ state }) => state === "booting");
    only().status = "exited";
    expect(await exited).to.include({ code: null });
    expect([vmm.vms.size, one.list().length]).to.deep.equal([0, 0]);
  });

  it("that hear no shutdown are stopped", async () => {
    vmm.isDeaf = true;
    const { one } = started();
    await told.until(({ state }) => state === "booting");
    await one.stop(spec.id);
    expect(vmm.called.slice(-3)).to.deep.equal(["ShutdownVm", "StopVm", "RemoveVm"]);
    expect(vmm.vms.size).to.equal(0);
  });

  it("whose making was not answered are ended all the same, as soon as dstack-vmm answers", async () => {
    vmm.lost.add("CreateVm");
    vmm.refusals.set("Status", "busy");
    const { one, exited } = started();
    expect(await exited).to.include({ code: null });
    await told.until(({ state }) => state === "not-stopped");
    expect([vmm.vms.size, one.list()]).to.deep.equal([1, [spec.id]]);
    vmm.refusals.clear();
    await one.stop(spec.id);
    expect([vmm.vms.size, one.list().length]).to.deep.equal([0, 0]);
  });

  it("whose making was not answered are made no second time", async () => {
    vmm.lost.add("CreateVm");
    vmm.refusals.set("Status", "busy");
    const { one, exited } = started();
    await exited;
    vmm.lost.clear();
    vmm.refusals.clear();
    const again = started(one);
    await told.until(({ state }) => state === "booting");
    expect(vmm.called.filter((method) => method === "CreateVm")).to.have.length(1);
    await one.stop(spec.id);
    await again.exited;
    expect(vmm.vms.size).to.equal(0);
  });

  it("that cannot be removed stay known until they can", async () => {
    const { one } = started();
    await told.until(({ state }) => state === "booting");
    vmm.refusals.set("RemoveVm", "disk busy");
    await one.stop(spec.id);
    const { error } = await told.until(({ state }) => state === "not-stopped");
    expect(error).to.deep.include({ code: "vmm/refused" });
    expect(one.list()).to.deep.equal([spec.id]);
    vmm.refusals.clear();
    await one.stop(spec.id);
    expect([vmm.vms.size, one.list().length]).to.deep.equal([0, 0]);
  });

  describe("of an app that asks for attested TLS", () => {
    const TLS = { host: "127.0.0.1", port: 0, publicHost: "203.0.113.7" };
    let asking: GuestSpec;
    before(async () => {
      const charter = { lease_signers: [LEASE_ACCOUNT.address], tls: { service: "web", port: 80 } };
      const text = JSON.stringify({ ...(JSON.parse(manifest.toString()) as object), charter });
      asking = { ...spec, composeHash: await relayer.keep(Buffer.from(text)) };
    });
    /** Ports in a row that nobody listens on, below those that the kernel gives to others meanwhile. */
    const range = async (count: number): Promise<{ from: number; to: number }> => {
      for (;;) {
        const from = randomInt(12_000, 30_000);
        const all = await Promise.all(
          Array.from({ length: count }, (_, i) => listening(from + i).catch(() => null)),
        );
        for (const one of all) await new Promise((done) => (one === null ? done(null) : one.close(done)));
        if (!all.includes(null)) return { from, to: from + count - 1 };
      }
    };
    const tlsOf = ({ configuration }: ReturnType<typeof only>) =>
      parseGuestConfig(configuration.user_config, true).tls;

    it("are reached on a port of the host, which is the one that their guest tells relayers", async () => {
      const tlsPorts = await range(1);
      const one = driver({ tlsPorts }, TLS);
      const exited = new Promise((done) => one.start(asking, done));
      await told.until(({ state }) => state === "booting");
      const port = tlsPorts.from;
      expect(only().configuration.ports).to.deep.equal([
        { protocol: "tcp", host_port: 8443, vm_port: 8443, host_address: "" },
        { protocol: "tcp", host_port: port, vm_port: port, host_address: "127.0.0.1" },
      ]);
      const listen = tlsOf(only());
      expect(listen).to.deep.equal({ host: "0.0.0.0", port, publicHost: "203.0.113.7" });
      const endpoints = new Inbox<GuestState>();
      const front = await TlsFront.open({
        ...{ chainId: CHAIN.chainId, ledger: CHAIN.ledger, app: APP, account: LEASE_ACCOUNT, relayers: [] },
        ...{ runtime: dryRuntime("a test"), to: { service: "web", port: 80 }, clock: machineClock() },
        ...{ attestation: () => null, unixNow: () => 1_900_000_000, report: endpoints.put },
        listen: listen as NonNullable<typeof listen>,
      });
      await front.close();
      expect(endpoints.all).to.deep.equal([
        { state: "tls", key: LEASE_ACCOUNT.address, host: "203.0.113.7", port },
      ]);
      await one.stop(spec.id);
      await exited;
    });

    it("have a port each, which is another's when they are gone", async () => {
      const tlsPorts = await range(2);
      const one = driver({ tlsPorts }, TLS);
      const specs = [asking, { ...asking, id: `${asking.id}x`, slot: 1 }];
      const exits = specs.map((each) => new Promise<GuestExit>((done) => one.start(each, done)));
      await told.until(({ state }) => state === "booting");
      await told.until(({ state }) => state === "booting");
      const ports = [...vmm.vms.values()].map((vm) => tlsOf(vm)?.port).sort();
      expect(ports).to.deep.equal([tlsPorts.from, tlsPorts.to]);

      const third = { ...asking, id: `${asking.id}y`, slot: 2 };
      await new Promise((done) => one.start(third, done));
      const { error } = await told.until(({ state }) => state === "failed");
      expect(error).to.deep.include({ code: "vmm/no-tls-port" });

      await one.stop(asking.id);
      const again = new Promise((done) => one.start(third, done));
      await told.until(({ state }) => state === "booting");
      await Promise.all([one.stop(`${asking.id}x`), one.stop(third.id)]);
      await Promise.all([...exits, again]);
      expect(vmm.vms.size).to.equal(0);
    });

    it("have no port that somebody else on the machine listens on", async () => {
      const tlsPorts = await range(2);
      const other = await listening(tlsPorts.from);
      const one = driver({ tlsPorts }, TLS);
      const exited = new Promise((done) => one.start(asking, done));
      await told.until(({ state }) => state === "booting");
      expect(tlsOf(only())?.port).to.equal(tlsPorts.to);
      await one.stop(spec.id);
      await exited;
      await new Promise((done) => other.close(done));
    });

    it("keep their port from others when another agent has adopted them", async () => {
      const tlsPorts = await range(2);
      const first = driver({ tlsPorts }, TLS);
      const exited = new Promise((done) => first.start(asking, done));
      await told.until(({ state }) => state === "booting");
      const next = driver({ tlsPorts }, TLS);
      await next.adopt();
      const other = { ...asking, id: `${asking.id}x`, slot: 1 };
      const otherExited = new Promise((done) => next.start(other, done));
      await told.until(({ state }) => state === "booting");
      const ports = [...vmm.vms.values()].map((vm) => tlsOf(vm)?.port);
      expect(ports).to.deep.equal([tlsPorts.from, tlsPorts.to]);
      await Promise.all([first.stop(spec.id), next.stop(other.id)]);
      await Promise.all([exited, otherExited]);
    });

    it("are not made where the node names no address for it", async () => {
      await new Promise((done) => driver().start(asking, done));
      expect((told.all[0]?.error as { code: string }).code).to.equal("manifest/unsupported");
      expect(vmm.called).to.deep.equal([]);
    });

    it("alone have such a port: others are told of no address", async () => {
      const { one, exited } = started(driver({}, TLS));
      await told.until(({ state }) => state === "booting");
      expect(only().configuration.ports).to.have.length(1);
      expect(tlsOf(only())).to.equal(undefined);
      await one.stop(spec.id);
      await exited;
    });
  });

  describe("after the agent's restart", () => {
    /** A VM that an agent made that is gone: as it was before that agent's driver was ended with it. */
    const orphan = async () => {
      const { one } = started();
      await told.until(({ state }) => state === "booting");
      const vm = { ...only() };
      await one.stop(spec.id);
      vmm.vms.set(vm.id, vm);
      vmm.called.length = 0;
    };
    const next = async () => {
      const one = driver();
      await one.adopt();
      const guests = new Guests({ driver: one, clock: machineClock(), report: (change) => told.put(change) });
      return { one, guests };
    };

    it("go on where they are still placed, and are made no second time", async () => {
      await orphan();
      const { one, guests } = await next();
      expect(one.list()).to.deep.equal([spec.id]);
      only().bootProgress = "done";
      guests.reconcile([spec], 5);
      await told.until(({ change }) => change === "started");
      await told.until(({ state }) => state === "running");
      expect(vmm.called).to.deep.equal([]);
      expect(only().status).to.equal("running");
      await guests.stopAll();
      expect(vmm.vms.size).to.equal(0);
    });

    it("are ended where they are placed no more", async () => {
      await orphan();
      const { guests } = await next();
      guests.reconcile([], 5);
      await told.until(({ change }) => change === "stopped");
      expect(vmm.vms.size).to.equal(0);
    });

    it("are made anew where they hold another manifest", async () => {
      await orphan();
      const { id, configuration } = only();
      vmm.vms.set(id, { ...only(), configuration: { ...configuration, compose_file: "{}" } });
      const { guests } = await next();
      guests.reconcile([spec], 5);
      await told.until(({ state, vm }) => state === "booting" && vm !== id);
      expect(vmm.vms.has(id)).to.equal(false);
      expect(Buffer.from(only().configuration.compose_file)).to.deep.equal(manifest);
      await guests.stopAll();
    });

    it("belong to the node whose key their name begins with", async () => {
      await orphan();
      const { id, configuration } = only();
      vmm.vms.set(id, { ...only(), configuration: { ...configuration, name: "charter-11111111-other" } });
      const { one } = await next();
      expect(one.list()).to.deep.equal([]);
    });

    it("were left running by an agent that was told to", async () => {
      const one = driver({ keepOnStop: true });
      const guests = new Guests({ driver: one, clock: machineClock(), report: () => undefined });
      guests.reconcile([spec], 5);
      await told.until(({ state }) => state === "booting");
      await guests.stopAll();
      expect(only().status).to.equal("running");
      await one.stop(spec.id);
    });
  });
});

describe("dstack-vmm's RPC", () => {
  it("answers over a unix socket, and every failure is typed", async () => {
    const dir = mkdtempSync(join(tmpdir(), "charter-vmm-"));
    const vmm = await new VmmServer().start(join(dir, "vmm.sock"));
    try {
      const client = new VmmClient(vmm.url, 5_000);
      expect(await client.list("charter-")).to.deep.equal([]);
      expect(await client.info("none")).to.equal(null);
      expect(await refusal(client.stopVm("none"))).to.equal("vmm/refused");
      vmm.bendHash = () => "short";
      const made = { compose_file: "{}" } as Parameters<VmmClient["composeHash"]>[0];
      expect(await refusal(client.composeHash(made))).to.equal("vmm/malformed-answer");
    } finally {
      await vmm.close();
      rmSync(dir, { recursive: true });
    }
    const gone = new VmmClient(`unix:${join(dir, "vmm.sock")}`, 1_000);
    expect(await refusal(gone.list("charter-"))).to.equal("vmm/unreachable");
  });
});
