import { spawn, type ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { expect } from "chai";
import { privateKeyToAccount } from "viem/accounts";

import { secretChangeTypedData } from "../../protocol/keys/secretChange.ts";
import { encodeSecret, sealSecret } from "../../protocol/keys/secretEnvelope.ts";
import { toHex, type Address, type Bytes32 } from "../../protocol/words/hex.ts";
import { importVectorNotes } from "../../scripts/devnet/vectorNotesImage.ts";
import type { GuestConfigInput } from "../../worker/guest/config.ts";
import { gocryptfsMissing } from "../../worker/storage/gocryptfs.ts";
import { loadOrCreateTestPki } from "../../worker/tee/simulator/pki.ts";
import { Inbox } from "../worker/support/Inbox.ts";
import { CHAIN, LEASE_ACCOUNT, TestRelayer } from "../worker/support/TestRelayer.ts";
import { until } from "./support/until.ts";
import { withEngine } from "./support/withEngine.ts";

const GUEST = fileURLToPath(new URL("../../worker/guest/main.ts", import.meta.url));
const COMPOSE = fileURLToPath(new URL("../../examples/vector-notes/docker-compose.yml", import.meta.url));
const APP = `0x${"ac".repeat(20)}` as Address;
const LABEL = `charter.app=${APP}`;
const IMAGE = "charter-test/vector-notes:local";
const SIGNER = privateKeyToAccount(`0x${"33".repeat(32)}`);
const TOKEN = "a-token-that-only-the-app-may-see";
const NOTE = "the cat sat on the mat";

type Line = Readonly<Record<string, unknown>> & { readonly state: string };

interface RunningGuest {
  readonly child: ChildProcess;
  readonly lines: Inbox<Line>;
  readonly exited: Promise<number | null>;
}

/** The example as it stands, in the guest's own program, on a real engine. */
describe("the vector-notes example on a real container engine", function () {
  this.timeout(180_000);
  const engine = withEngine("the vector-notes example");
  let dir: string;
  let relayer: TestRelayer;
  const guests: RunningGuest[] = [];

  before(async function () {
    const missing = await gocryptfsMissing();
    if (missing !== null) {
      console.log(`skipped: the vector-notes example: ${missing}`);
      return this.skip();
    }
    await importVectorNotes(IMAGE, engine().socket);
    dir = mkdtempSync(join(tmpdir(), "charter-notes-"));
    relayer = await new TestRelayer(loadOrCreateTestPki(dir)).start();
  });
  after(async () => {
    for (const { child, exited } of guests) {
      child.kill("SIGTERM");
      await exited;
    }
    await relayer?.server.close();
    if (dir) rmSync(dir, { recursive: true, force: true });
  });

  const manifest = (release: number): Buffer =>
    Buffer.from(
      JSON.stringify({
        manifest_version: 2,
        name: "vector-notes",
        runner: "docker-compose",
        docker_compose_file: readFileSync(COMPOSE, "utf8")
          .replace("charter-devnet/vector-notes:local", IMAGE)
          .replace('RELEASE: "1"', `RELEASE: "${release}"`),
        charter: {
          lease_signers: [LEASE_ACCOUNT.address],
          max_lease_seconds: 60,
          allow_unpinned_images: true,
          persistent: true,
          secret_signers: [SIGNER.address],
          secrets: [{ name: "NOTES_TOKEN" }],
        },
      }),
    );

  async function start(release: number): Promise<RunningGuest> {
    relayer.release = release;
    const config: GuestConfigInput = {
      relayerUrls: [relayer.url],
      ...{ chainId: CHAIN.chainId, genesisHash: CHAIN.genesisHash, ledger: CHAIN.ledger },
      ...{ app: APP, composeHash: await relayer.keep(manifest(release)), release, node: 1, slot: 0 },
      ...{ simulatorDir: dir, platform: "one" },
      workdir: join(dir, `work-${release}`),
      volumesDir: join(dir, "volumes"),
      runtime: "docker",
      engineSocket: engine().socket,
    };
    const child = spawn(process.execPath, [GUEST], {
      env: { PATH: process.env.PATH, CHARTER_GUEST_CONFIG: JSON.stringify(config) },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const lines = new Inbox<Line>();
    createInterface({ input: child.stdout }).on("line", (line) => lines.put(JSON.parse(line) as Line));
    const exited = new Promise<number | null>((done) => child.once("exit", done));
    const guest = { child, lines, exited };
    guests.push(guest);
    return guest;
  }

  /** Asks the one running container. */
  async function ask(path: string, init: RequestInit = {}): Promise<{ status: number; body: string }> {
    const [id = ""] = await engine().running(LABEL);
    const format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
    const address = (await engine().docker("inspect", "--format", format, id)).trim();
    const answer = await fetch(`http://${address}:8080${path}`, {
      ...init,
      signal: AbortSignal.timeout(5_000),
    });
    return { status: answer.status, body: await answer.text() };
  }
  const answers = (release: number, notes: number) =>
    until(`release ${release} with ${notes} notes`, async () => {
      const { body } = await ask("/");
      return JSON.stringify(JSON.parse(body)) === JSON.stringify({ notes, release: String(release) });
    });
  const nothingRuns = () => until("nothing runs", async () => (await engine().running(LABEL)).length === 0);

  /** As `charter secret set` does it. */
  async function setToken(): Promise<void> {
    const { publicKey } = await relayer.bindings.until(() => true);
    const label = { chainId: CHAIN.chainId, app: APP, name: "NOTES_TOKEN", counter: 1 };
    const envelope = Buffer.from(
      encodeSecret(await sealSecret(publicKey, label, Buffer.from(TOKEN))),
    ).toString();
    const digest = toHex(createHash("sha256").update(envelope).digest()) as Bytes32;
    const signature = await SIGNER.signTypedData(
      secretChangeTypedData({ ...label, ledger: CHAIN.ledger, digest }),
    );
    relayer.secrets = [{ name: label.name, counter: label.counter, digest, envelope, signature }];
  }

  it("waits for its secret, and takes notes from who has it", async () => {
    const guest = await start(1);
    await guest.lines.until(({ state }) => state === "awaiting-secrets");
    await setToken();
    await answers(1, 0);
    expect((await ask("/notes", { method: "POST", body: NOTE })).status).to.equal(401);
    const authorization = `Bearer ${TOKEN}`;
    const taken = await ask("/notes", { method: "POST", body: NOTE, headers: { authorization } });
    expect(taken.status).to.equal(201);
    const [id = ""] = await engine().running(LABEL);
    expect(await engine().docker("inspect", id)).not.to.include(TOKEN);
  });

  it("has them after its guest was killed, and after it was stopped in order", async () => {
    const killed = guests[0] as RunningGuest;
    killed.child.kill("SIGKILL");
    await killed.exited;
    await nothingRuns();
    const next = await start(1);
    await answers(1, 1);
    next.child.kill("SIGTERM");
    expect(await next.exited).to.equal(0);
    expect(await engine().docker("volume", "ls", "--quiet")).to.equal("");
    await start(1);
    await answers(1, 1);
  });

  it("goes to the next release with them, once the one before has let go", async () => {
    const before = guests.at(-1) as RunningGuest;
    const next = await start(2);
    await next.lines.until(({ state }) => state === "awaiting-volume");
    before.child.kill("SIGTERM");
    expect(await before.exited).to.equal(0);
    await answers(2, 1);
    const { body } = await ask(`/notes?near=${encodeURIComponent("cats on mats")}`);
    expect((JSON.parse(body) as { notes: { text: string }[] }).notes[0]?.text).to.equal(NOTE);
  });

  it("leaves nothing on the disk that can be read", async () => {
    const guest = guests.at(-1) as RunningGuest;
    guest.child.kill("SIGTERM");
    expect(await guest.exited).to.equal(0);
    const files = readdirSync(dir, { recursive: true, encoding: "utf8" })
      .map((name) => join(dir, name))
      .filter((path) => statSync(path).isFile());
    expect(files.filter((path) => path.includes("volumes")).length).to.be.greaterThan(2);
    for (const path of files) {
      const bytes = readFileSync(path);
      for (const text of [NOTE, TOKEN]) expect(bytes.includes(text), path).to.equal(false);
    }
  });
});
