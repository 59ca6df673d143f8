/** `node web/build.ts`: the pages into web/dist. Nothing is loaded from elsewhere at run time. */
import { cpSync, mkdirSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

import { browserOptions } from "./browserOptions.ts";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Where the built page lies. */
export const WEB_DIST = here("dist");

/** Bundles the pages' modules and copies the rest. */
export async function buildWeb(): Promise<void> {
  rmSync(WEB_DIST, { recursive: true, force: true });
  mkdirSync(WEB_DIST, { recursive: true });
  await build({
    entryPoints: [here("src/main.ts"), here("src/evidence.ts")],
    outdir: here("dist"),
    ...browserOptions,
    splitting: true,
    sourcemap: true,
    logLevel: "warning",
  });
  for (const file of ["index.html", "evidence.html", "style.css", "icon.svg"])
    cpSync(here(file), here(`dist/${file}`));
}

if (import.meta.main) await buildWeb();
