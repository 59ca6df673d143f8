import { readYaml } from "./readYaml.ts";
import { valueNotAllowed } from "./refuse.ts";
import { serviceRules } from "./serviceRules.ts";
import { flag, isMapping, mapping, matching, named, record, type Mapping, type Rule } from "./values.ts";

/** A Compose file that passed the allow-list. */
export interface ComposeProject {
  /** What Compose is given: our own reading, so that no second YAML parser can read the file in another way. */
  readonly file: Mapping;
  readonly services: readonly string[];
  /** Images that are not pinned by digest: whoever serves them could change what runs. */
  readonly unpinnedImages: readonly string[];
  /** Ports of the host that its services publish. */
  readonly publishedPorts: readonly PublishedPort[];
}

export interface PublishedPort {
  readonly port: number;
  readonly transport: "tcp" | "udp";
}

export interface ParseComposeOptions {
  /** Ports of the host that may be published. */
  readonly hostPorts: readonly number[];
}

const MAX_SERVICES = 64;
/** An image that is named by the hash of its content. */
export const PINNED = /@sha256:[0-9a-f]{64}$/;

/** A volume or network has no settings of its own here: drivers and external ones reach outside the VM. */
const optional =
  (rule: Rule): Rule =>
  (value, path) =>
    value === null ? {} : rule(value, path);
const volumes = named(optional(record({})));
const networkDeclarations = named(
  optional(record({ internal: flag, driver: matching(/^bridge$/, "driver bridge") })),
);

/**
 * Parses a manifest's Compose file by an allow-list: an unknown key is refused by its path, never ignored.
 * @throws CharterError `compose/malformed`, `compose/key-not-allowed`, `compose/value-not-allowed`.
 */
export function parseCompose(text: string, { hostPorts }: ParseComposeOptions): ComposeProject {
  const raw = mapping(readYaml(text), "the file");
  const declared = (section: string): ReadonlySet<string> =>
    new Set(isMapping(raw[section]) ? Object.keys(raw[section]) : []);
  const surroundings = {
    volumes: declared("volumes"),
    networks: declared("networks"),
    services: declared("services"),
    hostPorts,
  };
  const read = record({
    // Obsolete, and a number or text by habit: accepted and left out.
    version: (value, path) => matching(/^[23](\.\d{1,2})?$/, "a version")(String(value), path),
    services: named(serviceRules(surroundings)),
    volumes: optional(volumes),
    networks: optional(networkDeclarations),
  })(raw, "") as Record<string, Mapping>;

  const services = Object.entries(read.services ?? {});
  if (services.length === 0) throw valueNotAllowed("services", "at least one service");
  if (services.length > MAX_SERVICES) throw valueNotAllowed("services", `at most ${MAX_SERVICES} services`);
  const images = services.map(([name, service]) => {
    const { image } = service as { readonly image?: unknown };
    if (typeof image !== "string")
      throw valueNotAllowed(`services.${name}.image`, "an image (nothing is built here)");
    return image;
  });
  const { version: _version, ...file } = read;
  return {
    file,
    services: services.map(([name]) => name),
    unpinnedImages: [...new Set(images.filter((image) => !PINNED.test(image)))].sort(),
    publishedPorts: services.flatMap(([, service]) =>
      publishedPorts(service as { readonly ports?: string[] }),
    ),
  };
}

/** Of a service that passed the rules: `HOST:CONTAINER`, with `/udp` behind it or not. */
const publishedPorts = ({ ports = [] }: { readonly ports?: readonly string[] }): PublishedPort[] =>
  ports.map((port) => ({
    port: Number(port.split(":")[0]),
    transport: port.endsWith("/udp") ? "udp" : "tcp",
  }));
