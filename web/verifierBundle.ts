/** The verifier as one would ship it to browsers: bundled, minified, split at what is loaded on demand. */
import { gzipSync } from "node:zlib";
import { fileURLToPath } from "node:url";

import { build, type BuildOptions, type BuildResult } from "esbuild";

import { browserOptions } from "./browserOptions.ts";

const ENTRY = fileURLToPath(new URL("../protocol/evidence/browser.ts", import.meta.url));

/**
 * Bytes, gzip -9, by kind of evidence: everything that a browser loads to verify one of it. `manifests`: what GPU reports
 * need more where NVIDIA's manifests came along, an XML parser most of all. `everything`: all kinds in one file, which no
 * page loads.
 */
export type VerifierWeights = Readonly<
  Record<"intel" | "snp" | "nitro" | "gpu" | "nras" | "manifests" | "everything", number>
>;

/** Bundles the verifier in memory, its parts in files of their own, or all of them in one. */
const bundle = (
  how: Pick<BuildOptions, "splitting" | "external">,
): Promise<BuildResult<{ metafile: true; write: false }>> =>
  build({
    ...browserOptions,
    ...how,
    entryPoints: [ENTRY],
    metafile: true,
    write: false,
    outdir: "out",
  });

/** Bundles `protocol/evidence/browser.ts` in memory and weighs it. */
export async function weighVerifier(): Promise<VerifierWeights> {
  const { metafile, outputFiles } = await bundle({ splitting: true });
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
  const withKind = (...sources: readonly string[]): number =>
    weigh(closure([entry, ...sources.map(chunkOf)]));
  const gpu = withKind("verdict/gpuVerdict.ts");
  const whole = await bundle({ splitting: false, external: ["xml-crypto/*", "@xmldom/xmldom"] });
  return {
    intel: withKind("verdict/dcapVerdict.ts", "dcap/collateral.ts"),
    snp: withKind("verdict/snpVerdict.ts"),
    nitro: withKind("verdict/nitroVerdict.ts"),
    gpu,
    nras: withKind("verdict/nrasVerdict.ts"),
    manifests: withKind("verdict/gpuVerdict.ts", "verdict/gpuCollateral.ts", "rim/verifyRim.ts") - gpu,
    everything: gzipSync(whole.outputFiles[0]?.contents ?? new Uint8Array(), { level: 9 }).length,
  };
}
