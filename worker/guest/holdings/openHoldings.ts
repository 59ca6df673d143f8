import { createHash } from "node:crypto";
import { join, resolve } from "node:path";

import { CharterError } from "../../../protocol/errors/CharterError.ts";
import type { Clock } from "../../clock.ts";
import type { KeySource } from "../../keys/KeySource.ts";
import { openKeySource } from "../../keys/openKeySource.ts";
import { requireKeySource } from "../../keys/requireKeySource.ts";
import { volumeDir } from "../../storage/Volume.ts";
import { volumeNames, type Held } from "../compose/mountHeld.ts";
import type { ComposeProject } from "../compose/parseCompose.ts";
import type { GuestConfig } from "../config.ts";
import type { RunnableManifest } from "../fetchManifest.ts";
import type { GuestState } from "../state.ts";
import { noHoldings, type Holdings } from "./Holdings.ts";
import { SecretCounters } from "./SecretCounters.ts";
import { SecretFiles } from "./SecretFiles.ts";
import { SecretsHolding } from "./SecretsHolding.ts";
import { VolumeHolding } from "./VolumeHolding.ts";

export interface HoldingsSeams {
  readonly clock: Clock;
  readonly report: (state: GuestState) => void;
}

/** Where this guest's volume is readable while it is open. */
const volumePath = ({ workdir }: GuestConfig): string => resolve(workdir, "volume");

/** This guest's own directory for secrets, in memory. */
const secretsPath = ({ secretsDir, workdir }: GuestConfig): string =>
  join(secretsDir, `charter-${createHash("sha256").update(resolve(workdir)).digest("hex").slice(0, 16)}`);

/** Paths of what is held, as the Compose file is given them before anything of it is open. */
export function heldPaths(config: GuestConfig, project: ComposeProject, manifest: RunnableManifest): Held {
  const { persistent } = manifest.charter;
  const files = new SecretFiles(secretsPath(config), []);
  const readers = new Set(wantedSecrets(project, manifest).flatMap(({ services }) => services));
  return {
    ...(persistent ? { volume: volumePath(config) } : {}),
    secrets: new Map([...readers].map((service) => [service, files.directoryOf(service)])),
  };
}

/**
 * What the manifest asks for beside containers, by keys of this machine's source.
 * @throws CharterError `keys/no-source` where the machine has none: no volume is lost without a word, and no secret is
 * sealed to a key that nobody will have; `storage/none`, `secret/service-unknown`; `keys/…`.
 */
export async function openHoldings(
  config: GuestConfig,
  project: ComposeProject,
  manifest: RunnableManifest,
  seams: HoldingsSeams,
): Promise<Holdings> {
  const { persistent } = manifest.charter;
  const isSecret = wantedSecrets(project, manifest).length > 0;
  if (!persistent && !isSecret && manifest.kms_enabled !== true) return noHoldings;
  const { lease_signers: leaseSigners } = manifest.charter;
  const source = requireKeySource(
    await openKeySource({ ...config, leaseSigners }, config.chainId, config.places),
  );
  let key = "";
  const volume = persistent ? await openVolume(config, project, source, seams, () => key) : undefined;
  const secrets = isSecret ? secretsHolding(config, project, manifest, source, seams) : undefined;
  return {
    keyProvider: source.name,
    openSecrets: async (terms, signal) => secrets?.open(terms, signal),
    openVolume: async ({ account }, signal) => {
      key = account.address;
      await volume?.open(signal);
      if (volume?.path !== undefined) await secrets?.keepIn(new SecretCounters(volume.path));
    },
    tend: async (terms, signal) => secrets?.tend(terms, signal),
    close: async () => {
      await secrets?.close();
      await volume?.close();
    },
  };
}

function openVolume(
  { app, slot, workdir, volumesDir, ...config }: GuestConfig,
  project: ComposeProject,
  source: KeySource,
  { clock, report }: HoldingsSeams,
  key: () => string,
): Promise<VolumeHolding> {
  return VolumeHolding.prepare({
    app,
    source,
    cipherDir: volumeDir(resolve(volumesDir ?? join(workdir, "volumes")), app, slot),
    mountPoint: volumePath({ ...config, app, slot, workdir }),
    storage: config.storage,
    sizeMb: config.volumeMb,
    memoryDir: config.secretsDir,
    names: volumeNames(project),
    clock,
    onInUse: () => report({ state: "awaiting-volume", key: key() }),
  });
}

function secretsHolding(
  config: GuestConfig,
  project: ComposeProject,
  manifest: RunnableManifest,
  source: KeySource,
  seams: HoldingsSeams,
): SecretsHolding {
  const { chainId, ledger, app } = config;
  const wanted = wantedSecrets(project, manifest);
  const readers = new Set(wanted.flatMap(({ services }) => services));
  return new SecretsHolding({
    ...seams,
    ...{ chainId, ledger, app, source, wanted },
    signers: manifest.charter.secret_signers ?? [],
    leaseSigners: manifest.charter.lease_signers,
    files: new SecretFiles(secretsPath(config), [...readers]),
    now: () => Math.floor(Date.now() / 1_000),
  });
}

/** @throws CharterError `secret/service-unknown`. */
function wantedSecrets(
  { services: all }: ComposeProject,
  { charter }: RunnableManifest,
): { readonly name: string; readonly services: readonly string[] }[] {
  return (charter.secrets ?? []).map(({ name, services = all }) => {
    const unknown = services.find((service) => !all.includes(service));
    if (unknown === undefined) return { name, services };
    throw new CharterError(
      "secret/service-unknown",
      "a secret is for a service that the Compose file lacks",
      {
        name,
        service: unknown,
      },
    );
  });
}
