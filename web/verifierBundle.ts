/** The verifier as one would ship it to browsers: bundled, minified, split at what is loaded on demand. */
import { gzipSync } from "node:zlib";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

const ENTRY = fileURLToPath(new URL("../protocol/evidence/browser.ts", import.meta.url));

export interface VerifierBundle {
  /** Bytes, gzip -9, of everything that loads before the first verification. */
  readonly gzipBytes: number;
  /** The same of what loads on demand. */
  readonly onDemandGzipBytes: number;
}

/** Bundles `protocol/evidence/browser.ts` in memory and weighs it. */
export async function weighVerifier(): Promise<VerifierBundle> {
  const { metafile, outputFiles } = await build({
    entryPoints: [ENTRY],
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    minify: true,
    metafile: true,
    write: false,
    outdir: "out",
  });
  const outputs = Object.entries(metafile.outputs);
  const first = outputs.find(([, output]) => output.entryPoint?.endsWith("evidence/browser.ts"))?.[0];
  if (first === undefined) throw new Error("the bundle has no entry");
  const needed = new Set<string>();
  const queue = [first];
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (needed.has(path)) continue;
    needed.add(path);
    const imports = metafile.outputs[path]?.imports ?? [];
    queue.push(...imports.filter(({ kind }) => kind === "import-statement").map((one) => one.path));
  }
  const weigh = (paths: readonly string[]): number =>
    paths.reduce((sum, path) => {
      const file = outputFiles.find((one) => one.path.endsWith(path.slice("out".length)));
      return sum + gzipSync(file?.contents ?? new Uint8Array(), { level: 9 }).length;
    }, 0);
  return {
    gzipBytes: weigh([...needed]),
    onDemandGzipBytes: weigh(outputs.map(([path]) => path).filter((path) => !needed.has(path))),
  };
}
