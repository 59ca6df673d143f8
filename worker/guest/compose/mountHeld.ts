import { join } from "node:path";

import type { ComposeProject } from "./parseCompose.ts";
import { isMapping, type Mapping } from "./values.ts";

/** Where containers read secrets, one file for each. */
export const SECRETS_TARGET = "/run/secrets";

/** What a guest holds for its containers: paths of its own that the manifest cannot name. */
export interface Held {
  /** The opened volume; each named volume of the Compose file is a directory in it. */
  readonly volume?: string;
  /** The directory of secrets of each service that may read some. */
  readonly secrets?: ReadonlyMap<string, string>;
}

/** Names of the volumes that the Compose file declares. */
export const volumeNames = ({ file }: ComposeProject): readonly string[] =>
  isMapping(file.volumes) ? Object.keys(file.volumes) : [];

/**
 * The project with what is held in its place: bind mounts of directories inside the encrypted volume instead of the
 * engine's own volumes, and each service's secrets. A bind of a directory that is not there is refused by the engine, so
 * a container that is started while the volume is closed cannot write beside it.
 */
export function mountHeld(project: ComposeProject, { volume, secrets }: Held): ComposeProject {
  const { services, volumes, ...rest } = project.file;
  const held = Object.entries(services as Record<string, Mapping>).map(([name, service]) => {
    const own = Array.isArray(service.volumes) ? (service.volumes as unknown[]) : [];
    const mounts = volume === undefined ? own : own.map((mount) => intoVolume(mount, volume));
    const directory = secrets?.get(name);
    if (directory !== undefined) mounts.push(bind(directory, SECRETS_TARGET, true));
    return [name, mounts.length === 0 ? service : { ...service, volumes: mounts }] as const;
  });
  const file = {
    ...rest,
    services: Object.fromEntries(held),
    ...(volume === undefined && volumes !== undefined ? { volumes } : {}),
  };
  return { ...project, file };
}

/** A mount of a named volume; an anonymous one and a tmpfs stay as they are. */
function intoVolume(mount: unknown, volume: string): unknown {
  if (isMapping(mount)) {
    if (mount.type !== "volume" || typeof mount.source !== "string") return mount;
    return bind(join(volume, mount.source), String(mount.target), mount.read_only === true);
  }
  const [source = "", target, mode] = String(mount).split(":");
  return target === undefined ? mount : bind(join(volume, source), target, mode === "ro");
}

/** Compose reads a dollar as a variable unless it is doubled; what the manifest says is doubled already. */
const bind = (source: string, target: string, readOnly: boolean): Mapping => ({
  type: "bind",
  source: source.replaceAll("$", "$$$$"),
  target,
  ...(readOnly ? { read_only: true } : {}),
});
