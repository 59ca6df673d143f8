import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";

import type { Address } from "../../../protocol/words/hex.ts";
import type { GuestConfigInput } from "../../../worker/guest/config.ts";
import type { NodeFileInput } from "../../../worker/node/nodeFile.ts";
import { loadOrCreateTestPki, type TestPki } from "../../../worker/tee/simulator/pki.ts";
import { simulatedPlatform } from "../../../worker/tee/simulator/platform.ts";
import { deploymentFile } from "../support/deploymentFile.ts";
import { DiskTsm, tdPlaces } from "../support/DiskTsm.ts";
import { startDstackTd } from "../support/dstackTd.ts";
import { CHAIN, LEASE_ACCOUNT, TestRelayer } from "../support/TestRelayer.ts";

const path = (relative: string) => fileURLToPath(new URL(`../../../${relative}`, import.meta.url));
const KERNEL = fileURLToPath(new URL("../support/tsmKernel.ts", import.meta.url));
const NODE = "worker/node/main.ts";
const APP = `0x${"ab".repeat(20)}` as Address;

interface Finding {
  readonly what: string;
  readonly ok: boolean;
  readonly note: string;
}

/** The programs on the evidence of a machine: no simulator is configured, and its folder is named nowhere. */
describe("charter-node on a machine's own evidence", function () {
  this.timeout(120_000);
  let dir: string;
  let pki: TestPki;
  let relayer: TestRelayer;
  const closing: (() => Promise<unknown>)[] = [];
  const platform = () => simulatedPlatform(pki, { name: "one" });

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), "charter-own-"));
    pki = loadOrCreateTestPki(join(dir, "vendor"));
    relayer = await new TestRelayer(pki).start();
    closing.push(() => relayer.server.close());
  });
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
    rmSync(dir, { recursive: true });
  });

  /** Nothing of the machine that the test runs on is looked at. */
  const nowhere = () => ({
    dstackSockets: [join(dir, "no.sock")],
    tsmRoot: join(dir, "no-tsm"),
    tdxDevice: join(dir, "no-tdx"),
    snpDevice: join(dir, "no-sev"),
    nsmDevice: join(dir, "no-nsm"),
    nvidiaDevices: join(dir, "no-gpus"),
  });
  const configure = (changes: Partial<NodeFileInput>): string => {
    const file = join(dir, "node.json");
    const config: NodeFileInput = {
      relayerUrls: [relayer.url],
      deployment: deploymentFile(dir),
      evidence: "machine",
      workdir: join(dir, "work"),
      runtime: "dry",
      places: nowhere(),
      ...changes,
    };
    writeFileSync(file, JSON.stringify(config));
    return file;
  };
  const kernel = () => ({
    TSM_KERNEL: JSON.stringify({ dir, pkiDir: join(dir, "vendor"), platform: "one" }),
  });
  /** Runs a program to its end: beside this process, which answers for the relayer and the agent. */
  const run = async (args: readonly string[], environment: Record<string, string> = {}) => {
    const child = spawn(process.execPath, args, {
      env: { PATH: process.env.PATH, CHARTER_OPERATOR_KEY: `0x${"33".repeat(32)}`, ...environment },
    });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    const code = await new Promise<number | null>((done) => child.once("close", done));
    return { code, stdout, stderr };
  };
  const doctor = async (file: string, before: readonly string[] = [], environment = {}) => {
    const { stdout, stderr } = await run(
      [...before, path(NODE), "doctor", "--json", "--config", file],
      environment,
    );
    expect(stdout, stderr).not.to.equal("");
    const { findings } = JSON.parse(stdout) as { findings: Finding[] };
    return Object.fromEntries(findings.map(({ what, ...finding }) => [what, finding]));
  };
  const registered = () => [...relayer.nodes.values()].map(({ platformId }) => platformId);
  const manifest = () =>
    relayer.keep(
      Buffer.from(
        JSON.stringify({
          manifest_version: 2,
          name: "hello",
          runner: "docker-compose",
          docker_compose_file: "services: {web: {image: busybox}}",
          charter: { lease_signers: [LEASE_ACCOUNT.address], allow_unpinned_images: true },
        }),
      ),
    );

  it("registers a TD that dstack started, by what its agent quotes", async () => {
    const agent = await startDstackTd(dir, platform(), { app: APP, composeHash: await manifest() });
    closing.push(() => agent.close());
    const file = configure({ places: { ...nowhere(), dstackSockets: [agent.socket] } });
    const found = await doctor(file);
    expect(found["evidence source"]).to.deep.equal({
      ok: true,
      note: `tdx, platform ${platform().platformId}`,
    });
    expect(found["hardware dstack"]?.note).to.match(/^found at .*dstack\.sock .*; usable, used$/);
    const { code, stderr } = await run([path(NODE), "register", "--config", file]);
    expect(code, stderr).to.equal(0);
    expect(registered()).to.deep.equal([platform().platformId]);
    expect(found["keys that survive a guest"]?.note).to.match(/^dstack GetKey/);
    relayer.outlook = {
      lookedAt: 1_800_000_000,
      trouble: [
        { reason: "ending", what: "PCK certificate", at: 1_800_086_400 },
        { reason: "refused", what: "pck-revoked", at: null },
      ],
    };
    expect((await doctor(file))[`outlook by ${relayer.url}`]).to.deep.equal({
      ok: false,
      note:
        "PCK certificate ends 2027-01-16T08:00:00.000Z; " +
        "this machine's evidence is refused today by the check pck-revoked (looked 2027-01-15T08:00:00.000Z)",
    });
  });

  it("registers a TD without dstack, by the kernel's tree and the register that it extended", async () => {
    new DiskTsm(dir, join(dir, "vendor"), "one").boot();
    const before = readFileSync(tdPlaces(dir).rtmr3File);
    const file = configure({
      places: { ...nowhere(), ...tdPlaces(dir) },
      vmConfigFile: join(dir, "vm-config.json"),
    });
    const found = await doctor(file, ["--import", KERNEL], kernel());
    expect(found["hardware tsm-tdx"]?.note).to.match(/; usable, used$/);
    expect(readFileSync(tdPlaces(dir).rtmr3File)).to.deep.equal(before);
    const { code, stderr } = await run(
      ["--import", KERNEL, path(NODE), "register", "--config", file],
      kernel(),
    );
    expect(code, stderr).to.equal(0);
    expect(registered()).to.deep.equal([platform().platformId]);
    expect(readFileSync(tdPlaces(dir).rtmr3File)).not.to.deep.equal(before);
    expect(readdirSync(tdPlaces(dir).tsmRoot)).to.deep.equal([]);
  });

  it("runs a guest on either, which holds a lease for the app that was measured", async () => {
    const composeHash = await manifest();
    const agent = await startDstackTd(dir, platform(), { app: APP, composeHash });
    closing.push(() => agent.close());
    new DiskTsm(dir, join(dir, "vendor"), "one").boot();
    const guest: GuestConfigInput = {
      relayerUrls: [relayer.url],
      chainId: CHAIN.chainId,
      genesisHash: CHAIN.genesisHash,
      ledger: CHAIN.ledger,
      app: APP,
      composeHash,
      release: 1,
      node: 1,
      slot: 0,
      evidence: "machine",
      workdir: join(dir, "guest"),
      runtime: "dry",
    };
    const onDstack = { ...guest, places: { ...nowhere(), dstackSockets: [agent.socket] } };
    const vmConfig = readFileSync(join(dir, "vm-config.json"), "utf8");
    const onKernel = { ...guest, vmConfig, places: { ...nowhere(), ...tdPlaces(dir) } };
    expect(await statesOf(onDstack)).to.include.members(["attested", "leased", "running"]);
    expect(await statesOf(onKernel, ["--import", KERNEL], kernel())).to.include("running");
    const other = await statesOf({ ...onDstack, app: `0x${"ac".repeat(20)}` as Address });
    expect(other).to.include("failed").and.not.to.include("leased");
  });

  /** What a guest says of itself until it runs or ends. */
  async function statesOf(config: GuestConfigInput, before: readonly string[] = [], environment = {}) {
    const child = spawn(process.execPath, [...before, path("worker/guest/main.ts")], {
      env: { PATH: process.env.PATH, ...environment, CHARTER_GUEST_CONFIG: JSON.stringify(config) },
      stdio: ["ignore", "pipe", "inherit"],
    });
    let text = "";
    child.stdout.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes('"running"')) child.kill("SIGTERM");
    });
    await new Promise((done) => child.once("close", done));
    return text
      .split("\n")
      .filter(Boolean)
      .map((line) => (JSON.parse(line) as { state: string }).state);
  }

  it("says of each kind of hardware why it is not usable, and fails where nothing else is", async () => {
    mkdirSync(join(dir, "tsm"));
    for (const name of ["sev-guest", "tdx_guest", "nsm", "dead.sock"]) writeFileSync(join(dir, name), "");
    mkdirSync(join(dir, "gpus/0000:01:00.0"), { recursive: true });
    const nvattest = join(dir, "nvattest");
    writeFileSync(nvattest, "#!/bin/sh\necho 'no GPU answers' >&2\nexit 7\n");
    chmodSync(nvattest, 0o755);
    const places = {
      dstackSockets: [join(dir, "dead.sock")],
      tsmRoot: join(dir, "tsm"),
      tdxDevice: join(dir, "tdx_guest"),
      snpDevice: join(dir, "sev-guest"),
      nsmDevice: join(dir, "nsm"),
      nvidiaDevices: join(dir, "gpus"),
      nvattest,
    };
    const file = configure({ gpu: true, places });
    const found = await doctor(file);
    const isOk = Object.fromEntries(Object.entries(found).map(([what, { ok }]) => [what, ok]));
    expect(isOk).to.deep.equal({
      "evidence source": false,
      "hardware dstack": false,
      "hardware tsm-tdx": false,
      "hardware tsm-snp": false,
      "hardware nitro": false,
      "hardware nvidia": false,
      "keys that survive a guest": true,
      storage: true,
      containers: true,
      [`relayer ${relayer.url}`]: true,
      [`outlook by ${relayer.url}`]: true,
    });
    expect(found[`outlook by ${relayer.url}`]?.note).to.equal("none: this node has no key yet");
    const why = (name: string) => found[`hardware ${name}`]?.note.split("; not usable: ")[1];
    expect(why("dstack")).to.match(/tee\/agent-failed/);
    expect(why("tsm-tdx")).to.match(/tee\/config-missing; field vmConfig/);
    expect(why("tsm-snp")).to.match(/tee\/config-missing; field mrConfig/);
    expect(why("nitro")).to.match(/tee\/nsm-unsupported/);
    expect(why("nvidia")).to.match(/gpu\/collector-failed.*no GPU answers/s);
  });

  it("has nothing to register where nothing is found, whatever the chain", async () => {
    const file = configure({});
    const { code, stderr } = await run([path(NODE), "register", "--config", file]);
    expect(code).to.equal(1);
    expect((JSON.parse(stderr) as { error: { code: string } }).error.code).to.equal("tee/no-source");
    expect(registered()).to.deep.equal([]);
  });
});
