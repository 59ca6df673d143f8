import { join, resolve } from "node:path";

import type { Clock } from "../../clock.ts";
import { openKeySource } from "../../keys/openKeySource.ts";
import { requireKeySource } from "../../keys/requireKeySource.ts";
import { volumeDir } from "../../storage/gocryptfs.ts";
import { volumeNames, type Held } from "../compose/mountHeld.ts";
import type { ComposeProject } from "../compose/parseCompose.ts";
import type { GuestConfig } from "../config.ts";
import type { RunnableManifest } from "../fetchManifest.ts";
import type { GuestState } from "../state.ts";
import { noHoldings, type Holdings } from "./Holdings.ts";
import { VolumeHolding } from "./VolumeHolding.ts";

export interface HoldingsSeams {
  readonly clock: Clock;
  readonly report: (state: GuestState) => void;
}

/** Where this guest's volume is readable while it is open. */
const volumePath = ({ workdir }: GuestConfig): string => resolve(workdir, "volume");

/** Paths of what is held, as the Compose file is given them before anything of it is open. */
export const heldPaths = (config: GuestConfig, manifest: RunnableManifest): Held =>
  manifest.charter.persistent ? { volume: volumePath(config) } : {};

/**
 * What the manifest asks for beside containers, by keys of this machine's source.
 * @throws CharterError `keys/no-source` where the machine has none: no volume is lost without a word, and no secret is
 * sealed to a key that nobody will have; `storage/none`; `keys/…`.
 */
export async function openHoldings(
  config: GuestConfig,
  project: ComposeProject,
  manifest: RunnableManifest,
  { clock, report }: HoldingsSeams,
): Promise<Holdings> {
  const { persistent } = manifest.charter;
  if (!persistent && manifest.kms_enabled !== true) return noHoldings;
  const found = await openKeySource(config, config.chainId);
  const source = requireKeySource(found.source, found.evidence);
  const { app, slot, workdir } = config;
  let key = "";
  const volume = persistent
    ? await VolumeHolding.prepare({
        app,
        source,
        cipherDir: volumeDir(resolve(config.volumesDir ?? join(workdir, "volumes")), app, slot),
        mountPoint: volumePath(config),
        names: volumeNames(project),
        clock,
        onInUse: () => report({ state: "awaiting-volume", key }),
      })
    : undefined;
  return {
    ...noHoldings,
    keyProvider: source.name,
    openVolume: async ({ account }, signal) => {
      key = account.address;
      await volume?.open(signal);
    },
    close: async () => volume?.close(),
  };
}
