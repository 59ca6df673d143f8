/**
 * `node scripts/devnet/vectorNotesImage.ts [NAME]`: the image of examples/vector-notes, made of this machine's files (this
 * Node and the libraries that it is linked to, sqlite-vec, the example), so that it takes no network.
 */
import { execFile, spawn } from "node:child_process";
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { engineEnvironment } from "../../worker/guest/compose/runCommand.ts";
import { engineSocket } from "./helloImage.ts";

const EXAMPLE = fileURLToPath(new URL("../../examples/vector-notes/", import.meta.url));
const DEFAULT_NAME = "charter-devnet/vector-notes:local";

/** Makes the image. @throws Error where Node is linked in a way that is not read, or the engine does not take it. */
export async function importVectorNotes(image: string, socket?: string): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), "charter-notes-"));
  try {
    for (const directory of ["bin", "app", "data", "tmp"]) mkdirSync(join(root, directory));
    copyFileSync(process.execPath, join(root, "bin/node"));
    const modules = join(root, "app/node_modules");
    const extension = dirname(createRequire(import.meta.url).resolve("sqlite-vec"));
    const platform = `sqlite-vec-${process.platform}-${process.arch}`;
    cpSync(extension, join(modules, "sqlite-vec"), { recursive: true });
    cpSync(join(dirname(extension), platform), join(modules, platform), { recursive: true });
    copyFileSync(join(EXAMPLE, "server.mjs"), join(root, "app/server.mjs"));
    for (const library of await libraries(process.execPath)) {
      mkdirSync(join(root, dirname(library)), { recursive: true });
      copyFileSync(library, join(root, library));
    }
    await importDirectory(root, image, socket);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** Shared libraries and the loader, by the paths that the program is linked to. */
const libraries = (program: string): Promise<string[]> =>
  new Promise((done, fail) =>
    execFile("ldd", [program], (error, stdout) => {
      if (error) return fail(new Error("ldd does not read this Node", { cause: error }));
      done([...stdout.matchAll(/(\/\S+) \(0x[0-9a-f]+\)/g)].map(([, path = ""]) => path));
    }),
  );

async function importDirectory(root: string, image: string, socket: string | undefined): Promise<void> {
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
}

if (import.meta.main) {
  const image = process.argv[2] ?? DEFAULT_NAME;
  await importVectorNotes(image, engineSocket());
  console.log(image);
}
