import { access, readdir } from "node:fs/promises";

import { CharterError } from "../../protocol/errors/CharterError.ts";
import { DSTACK_SOCKETS } from "./dstack/DstackAgent.ts";
import type { Places } from "./places.ts";
import { TSM_ROOT } from "./tsm/tsmReport.ts";

/** A place where evidence may come from, whether it is here, and what it gives. */
export interface DetectedSource {
  readonly name: "dstack" | "tsm-tdx" | "tsm-snp" | "nitro" | "nvidia";
  /** Where it was found; null where it was not. */
  readonly at: string | null;
  /** What one has of it, for people. */
  readonly gives: string;
  /** False where this program cannot use it. */
  readonly isUsable: boolean;
}

const GIVES = {
  dstack: "TDX quotes, RTMR3, keys of the app (GetKey)",
  "tsm-tdx": "TDX quotes by configfs-tsm; RTMR3 from Linux 6.16; no key survives the guest",
  "tsm-snp": "SEV-SNP reports by configfs-tsm; no register to extend; keys by snpguest",
  nitro: "AWS NSM: its documents take an ioctl, which takes native code that Charter does not carry",
  nvidia: "NVIDIA GPU; its evidence counts only beside that of the CPU",
} as const;

/** Looks for every source and changes nothing; best first. */
export async function detectSources(places: Places = {}): Promise<DetectedSource[]> {
  const {
    dstackSockets = DSTACK_SOCKETS,
    tsmRoot = TSM_ROOT,
    tdxDevice = "/dev/tdx_guest",
    snpDevice = "/dev/sev-guest",
    nsmDevice = "/dev/nsm",
    nvidiaDevices = "/proc/driver/nvidia/gpus",
  } = places;
  const tsm = await exists(tsmRoot);
  const [dstack, tdx, snp, nsm, gpus] = await Promise.all([
    firstThatExists(dstackSockets),
    tsm ? firstThatExists([tdxDevice]) : null,
    tsm ? firstThatExists([snpDevice]) : null,
    firstThatExists([nsmDevice]),
    readdir(nvidiaDevices).catch(() => []),
  ]);
  return [
    { name: "dstack", at: dstack, gives: GIVES.dstack, isUsable: dstack !== null },
    { name: "tsm-tdx", at: tdx === null ? null : tsmRoot, gives: GIVES["tsm-tdx"], isUsable: tdx !== null },
    { name: "tsm-snp", at: snp === null ? null : tsmRoot, gives: GIVES["tsm-snp"], isUsable: snp !== null },
    { name: "nitro", at: nsm, gives: GIVES.nitro, isUsable: false },
    { name: "nvidia", at: gpus.length === 0 ? null : nvidiaDevices, gives: GIVES.nvidia, isUsable: false },
  ];
}

/**
 * The CPU's source on this machine.
 * @throws CharterError `tee/nsm-unsupported` where AWS NSM is all there is, `tee/no-source` where there is nothing.
 */
export function bestSource(detected: readonly DetectedSource[]): DetectedSource & { readonly at: string } {
  for (const one of detected) if (one.isUsable && one.at !== null) return { ...one, at: one.at };
  if (detected.some(({ name, at }) => name === "nitro" && at !== null)) {
    throw new CharterError("tee/nsm-unsupported", "AWS NSM answers ioctls only, which takes native code");
  }
  throw new CharterError("tee/no-source", "this machine has no source of evidence that Charter knows", {
    looked: detected.map(({ name }) => name),
  });
}

async function firstThatExists(paths: readonly string[]): Promise<string | null> {
  for (const path of paths) if (await exists(path)) return path;
  return null;
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
