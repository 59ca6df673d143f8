import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { createGpuPki, type GpuPki } from "./gpu/gpuPki.ts";
import { createNitroPki, type NitroPki } from "./nitro/nitroPki.ts";
import type { TestPki } from "./pki.ts";

/** The simulated NVIDIA of a directory: its keys follow from the directory's secret. */
export const gpuPkiOf = ({ file, secret }: TestPki): GpuPki =>
  createGpuPki({ notBefore: file.notBefore, validitySeconds: file.notAfter - file.notBefore, secret });

/** The simulated AWS of a directory at some time: CAs below its root live for days, so they are made when asked for. */
export const nitroPkiOf = ({ secret }: TestPki, at: number): NitroPki =>
  createNitroPki({ notBefore: at - 3_600, secret });

/** Where the roots of a directory stand: what verifiers are configured with. */
export interface RootFiles {
  readonly nitro: string;
  readonly gpu: string;
  readonly rim: string;
}

/** Writes the roots that follow from the PKI. A root's key is what counts; its signature differs with each writing. */
export function writeRoots(dir: string, pki: TestPki): RootFiles {
  const gpu = gpuPkiOf(pki);
  const roots = [
    ["nitro", nitroPkiOf(pki, pki.file.notBefore + 3_600).root],
    ["gpu", gpu.root],
    ["rim", gpu.rimRoot],
  ] as const;
  const written = roots.map(([name, pem]) => {
    const path = join(dir, `${name}-root.pem`);
    writeFileSync(path, pem, { mode: 0o644 });
    return [name, path] as const;
  });
  return Object.fromEntries(written) as unknown as RootFiles;
}
