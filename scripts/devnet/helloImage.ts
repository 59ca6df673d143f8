import { execFile, spawn } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { dockerHostSocket } from "../../worker/guest/compose/dockerHost.ts";
import { findCompose } from "../../worker/guest/compose/findCompose.ts";
import { commandsOf, engineEnvironment } from "../../worker/guest/compose/runCommand.ts";

/** The image that the hello app's Compose file names. */
export const HELLO_IMAGE = "busybox:1.36";
/** What this machine makes of its own static busybox where that cannot be fetched. */
const LOCAL_IMAGE = "charter-devnet/busybox:local";
const STATIC_BUSYBOX = ["/usr/bin/busybox", "/bin/busybox"];
const PULL_TIMEOUT_MS = 30_000;

/** Where the devnet's nodes look for an engine, when the environment says so. */
export const engineSocket = (): string | undefined =>
  process.env.CHARTER_ENGINE_SOCKET ?? dockerHostSocket(process.env);

/** An engine that runs the hello app, or why containers are not started. */
export type HelloEngine = { readonly image: string; readonly note: string } | { readonly why: string };

/**
 * Finds a container engine and an image for the hello app: the one that its Compose file names, pinned by its digest
 * where the engine knows it, or one that is made of this machine's static busybox.
 * @param socket path of the engine's unix socket; Docker's default where there is none.
 */
export async function helloEngine(socket?: string): Promise<HelloEngine> {
  const run = commandsOf(socket);
  const docker = async (timeoutMs: number, ...args: string[]): Promise<string | null> =>
    run("docker", args, { cwd: tmpdir(), timeoutMs }).catch(() => null);
  const compose = await findCompose(tmpdir(), run);
  if (typeof compose === "string") return { why: compose };
  const command = compose.join(" ");
  const digest = async (): Promise<string | null> => {
    const text = await docker(5_000, "image", "inspect", "--format", "{{json .RepoDigests}}", HELLO_IMAGE);
    const [first] = text === null ? [] : ((JSON.parse(text) as string[] | null) ?? []);
    return first ?? null;
  };
  if ((await digest()) === null) await docker(PULL_TIMEOUT_MS, "pull", "--quiet", HELLO_IMAGE);
  const pinned = await digest();
  if (pinned !== null) return { image: pinned, note: `${command}, ${pinned}` };
  const busybox = STATIC_BUSYBOX.find((path) => existsSync(path));
  if (busybox === undefined)
    return { why: `${HELLO_IMAGE} cannot be fetched, and there is no static busybox` };
  await importBusybox(busybox, LOCAL_IMAGE, socket);
  const answer = await docker(20_000, "run", "--rm", "--network", "none", LOCAL_IMAGE, "echo", "runs");
  if (answer?.trim() !== "runs")
    return { why: `${HELLO_IMAGE} cannot be fetched, and ${busybox} is not static` };
  return { image: LOCAL_IMAGE, note: `${command}, an image made of ${busybox}` };
}

/**
 * Makes an image of a static busybox: the whole of it is `/bin`.
 * @throws Error where the engine does not take it.
 */
export async function importBusybox(busybox: string, image: string, socket?: string): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), "charter-busybox-"));
  try {
    mkdirSync(join(root, "bin"));
    mkdirSync(join(root, "tmp"));
    chmodSync(join(root, "tmp"), 0o1777);
    copyFileSync(busybox, join(root, "bin/busybox"));
    chmodSync(join(root, "bin/busybox"), 0o755);
    for (const name of await applets(busybox)) {
      if (name !== "busybox") symlinkSync("busybox", join(root, "bin", name));
    }
    const tar = spawn("tar", ["-C", root, "--owner=0", "--group=0", "-c", "."], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const env = engineEnvironment(socket);
    const docker = spawn("docker", ["import", "-", image], { env, stdio: [tar.stdout, "ignore", "inherit"] });
    tar.stdout.destroy(); // The engine's program has it now.
    const code = await new Promise((done) => {
      docker.once("error", () => done(127));
      docker.once("exit", done);
    });
    if (code !== 0) throw new Error(`docker import ended with ${String(code)}`);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

const applets = (busybox: string): Promise<string[]> =>
  new Promise((done, fail) =>
    execFile(busybox, ["--list"], (error, stdout) =>
      error ? fail(new Error("busybox --list", { cause: error })) : done(stdout.split("\n").filter(Boolean)),
    ),
  );
