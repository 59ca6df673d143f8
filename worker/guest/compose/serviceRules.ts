import { at, keyNotAllowed, valueNotAllowed } from "./refuse.ts";
import {
  command,
  flag,
  isMapping,
  list,
  mapping,
  matching,
  NAME,
  named,
  quantity,
  record,
  text,
  wholeNumber,
  type Rule,
} from "./values.ts";

/** What rules need to know of the rest of the file and of the machine. */
export interface Surroundings {
  readonly volumes: ReadonlySet<string>;
  readonly networks: ReadonlySet<string>;
  readonly services: ReadonlySet<string>;
  /** Ports of the host that may be published. An empty list allows none. */
  readonly hostPorts: readonly number[];
}

const ENVIRONMENT_NAME = /^[A-Za-z_][A-Za-z0-9_.-]*$/;
const CONTAINER_PATH = /^\/[^:\\]*$/;

/**
 * The allow-list of a service (DESIGN section 7). What is not here is refused by its path: privileged, devices,
 * cap_add, security_opt, pid, ipc, network_mode, volumes_from, extends, build, env_file, sysctls, userns_mode, …
 */
export const serviceRules = (surroundings: Surroundings): Rule =>
  record({
    image: matching(/^[a-z0-9][a-zA-Z0-9._\-/:@]*$/, "an image reference"),
    command,
    entrypoint: command,
    working_dir: matching(CONTAINER_PATH, "an absolute path"),
    user: matching(/^[A-Za-z0-9_-]+(:[A-Za-z0-9_-]+)?$/, "a user, or user:group"),
    environment,
    expose: list((value, path) => matching(/^\d{1,5}(\/(tcp|udp))?$/, "a port")(String(value), path)),
    ports: list((value, path) => port(value, path, surroundings.hostPorts)),
    depends_on: dependsOn(surroundings.services),
    restart: matching(/^(no|always|unless-stopped|on-failure(:\d{1,4})?)$/, "a restart policy"),
    volumes: list((value, path) => mount(value, path, surroundings.volumes)),
    networks: networks(surroundings.networks),
    healthcheck: record({
      test: command,
      interval: quantity,
      timeout: quantity,
      retries: wholeNumber,
      start_period: quantity,
      disable: flag,
    }),
    tmpfs: (value, path) =>
      list(matching(CONTAINER_PATH, "an absolute path"))(Array.isArray(value) ? value : [value], path),
    read_only: flag,
    init: flag,
    tty: flag,
    stdin_open: flag,
    hostname: matching(/^[a-zA-Z0-9][a-zA-Z0-9.-]{0,62}$/, "a host name"),
    cap_drop: list(matching(/^[A-Z_]+$/, "a capability")),
    stop_grace_period: quantity,
    stop_signal: matching(/^[A-Z0-9+]+$/, "a signal"),
    mem_limit: quantity,
    cpus: quantity,
    pids_limit: wholeNumber,
    shm_size: quantity,
  });

/** Every variable has its value here: one without would be taken from the environment of whoever runs Compose. */
const environment: Rule = (value, path) => {
  const entries: [name: string, value: unknown, path: string][] = Array.isArray(value)
    ? value.map((item: unknown, i) => {
        const entry = text(item, at(path, i)) as string;
        const split = entry.indexOf("=");
        if (split < 0) throw valueNotAllowed(at(path, i), "NAME=value");
        return [entry.slice(0, split), entry.slice(split + 1), at(path, i)];
      })
    : Object.entries(mapping(value, path)).map(([name, item]) => [name, item, at(path, name)]);
  const out: Record<string, string> = {};
  for (const [name, item, where] of entries) {
    if (!ENVIRONMENT_NAME.test(name) || name === "__proto__") {
      throw valueNotAllowed(where, "a variable's name");
    }
    const isScalar = typeof item === "string" || typeof item === "boolean" || Number.isFinite(item);
    if (!isScalar) throw valueNotAllowed(where, "a value");
    if (Object.hasOwn(out, name)) throw valueNotAllowed(where, "each variable once");
    out[name] = text(String(item), where) as string;
  }
  return out;
};

/** `HOST:CONTAINER[/proto]`, the host's port being one that the node's configuration names. */
function port(value: unknown, path: string, hostPorts: readonly number[]): unknown {
  const found = /^(\d{1,5}):(\d{1,5})(\/(?:tcp|udp))?$/.exec(typeof value === "string" ? value : "");
  if (!found) throw valueNotAllowed(path, 'a port as "HOST:CONTAINER"');
  if (!hostPorts.includes(Number(found[1]))) {
    throw valueNotAllowed(
      path,
      `a port of the host that this node allows (${hostPorts.join(", ") || "none"})`,
    );
  }
  return value;
}

/** A named volume of this file, or an anonymous one. Paths of the host, its docker socket among them, are refused. */
function mount(value: unknown, path: string, volumes: ReadonlySet<string>): unknown {
  if (isMapping(value)) {
    const isTmpfs = value.type === "tmpfs";
    const known = record({
      type: matching(/^(volume|tmpfs)$/, "type volume or tmpfs (no path of the host)"),
      target: matching(CONTAINER_PATH, "an absolute path"),
      read_only: flag,
      ...(isTmpfs ? {} : { source: volumeName(volumes) }),
    })(value, path);
    if (value.type === undefined) throw valueNotAllowed(at(path, "type"), "type volume or tmpfs");
    if (value.target === undefined) throw valueNotAllowed(at(path, "target"), "an absolute path");
    return known;
  }
  const parts = (text(value, path) as string).split(":");
  if (parts.length === 1) return matching(CONTAINER_PATH, "an absolute path")(value, path);
  const [source, target, mode = "rw"] = parts;
  volumeName(volumes)(source, path);
  matching(CONTAINER_PATH, "an absolute path in the container")(target, path);
  if (parts.length > 3 || !/^(ro|rw)$/.test(mode)) throw valueNotAllowed(path, "ro or rw");
  return value;
}

const volumeName =
  (volumes: ReadonlySet<string>): Rule =>
  (value, path) => {
    if (typeof value === "string" && NAME.test(value) && volumes.has(value)) return value;
    throw valueNotAllowed(path, "a volume that this file declares (no path of the host)");
  };

const oneOf =
  (names: ReadonlySet<string>, what: string): Rule =>
  (value, path) => {
    if (typeof value === "string" && names.has(value)) return value;
    throw valueNotAllowed(path, `a ${what} that this file declares`);
  };

const dependsOn =
  (services: ReadonlySet<string>): Rule =>
  (value, path) => {
    const service = oneOf(services, "service");
    if (Array.isArray(value)) return list(service)(value, path);
    for (const name of Object.keys(mapping(value, path))) service(name, at(path, name));
    const condition = matching(/^service_(started|healthy|completed_successfully)$/, "a condition");
    return named(record({ condition }))(value, path);
  };

const networks =
  (declared: ReadonlySet<string>): Rule =>
  (value, path) => {
    const network = oneOf(declared, "network");
    if (Array.isArray(value)) return list(network)(value, path);
    const alias = record({ aliases: list(matching(NAME, "a name")) });
    return Object.fromEntries(
      Object.entries(mapping(value, path)).map(([name, item]) => {
        if (!declared.has(name)) throw keyNotAllowed(at(path, name));
        return [name, item === null ? null : alias(item, at(path, name))];
      }),
    );
  };
