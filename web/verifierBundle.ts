/** The verifier as one would ship it to browsers: bundled, minified, split at what is loaded on demand. */
import { gzipSync } from "node:zlib";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

const ENTRY = fileURLToPath(new URL("../protocol/evidence/browser.ts", import.meta.url));

/** Bytes, gzip -9, by kind of evidence: everything that a browser loads to verify one of it. */
export type VerifierWeights = Readonly<
  Record<"intel" | "snp" | "nitro" | "gpu" | "nras" | "everything", number>
>;

/** Bundles `protocol/evidence/browser.ts` in memory and weighs it. */
export async function weighVerifier(): Promise<VerifierWeights> {
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
  const outputs = metafile.outputs;
  const chunkOf = (source: string): string => {
    const path = Object.keys(outputs).find((one) => outputs[one]?.entryPoint?.endsWith(source));
    if (path === undefined) throw new Error(`the bundle has no chunk of ${source}`);
    return path;
  };
  /** Everything that must be there before these chunks run. */
  const closure = (chunks: readonly string[]): Set<string> => {
    const needed = new Set<string>();
    const queue = [...chunks];
    for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
      if (needed.has(path)) continue;
      needed.add(path);
      const imports = outputs[path]?.imports ?? [];
      queue.push(...imports.filter(({ kind }) => kind === "import-statement").map((one) => one.path));
    }
    return needed;
  };
  const weigh = (paths: Iterable<string>): number =>
    [...paths].reduce((sum, path) => {
      const file = outputFiles.find((one) => one.path.endsWith(path.slice("out".length)));
      return sum + gzipSync(file?.contents ?? new Uint8Array(), { level: 9 }).length;
    }, 0);
  const entry = chunkOf("evidence/browser.ts");
  const withKind = (source: string): number => weigh(closure([entry, chunkOf(source)]));
  return {
    intel: weigh(closure([entry])),
    snp: withKind("verdict/snpVerdict.ts"),
    nitro: withKind("verdict/nitroVerdict.ts"),
    gpu: withKind("verdict/gpuVerdict.ts"),
    nras: withKind("verdict/nrasVerdict.ts"),
    everything: weigh(Object.keys(outputs)),
  };
}
