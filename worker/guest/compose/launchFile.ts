import type { ComposeProject } from "./parseCompose.ts";
import { isMapping, type Mapping } from "./values.ts";

/** A service's restart policy, as the manifest has it. */
export interface RestartPolicy {
  readonly when: "no" | "always" | "on-failure";
  /** Starts after the first one, at most. */
  readonly most: number;
}

const LABEL_FORM = /^[a-z0-9.-]+$/;

/**
 * The file that Compose is given: the manifest's services with this run's labels, logs that cannot fill a disk, and no
 * restart policy. An engine that comes back after a crash or a reboot would start such containers by itself, with no
 * lease; so `Supervisor` starts them again, in the guest, while there is one.
 */
export function launchFile(
  project: ComposeProject,
  labels: Readonly<Record<string, string>>,
  gpuServices: readonly string[] = [],
): Mapping {
  for (const label of Object.keys(labels)) {
    if (!LABEL_FORM.test(label)) throw new TypeError(`label ${label}`);
  }
  const services = Object.fromEntries(
    servicesOf(project).map(([name, { restart: _, ...service }]) => [
      name,
      {
        ...service,
        ...(gpuServices.includes(name) ? withGpus(service) : {}),
        restart: "no",
        labels,
        logging: { driver: "json-file", options: { "max-size": "1m", "max-file": "2" } },
      },
    ]),
  );
  // Compose v1 takes the keys that we allow under this version only.
  return { version: "2.4", ...project.file, services };
}

/**
 * NVIDIA's container runtime gives a container the GPUs that this variable names: Compose v1 and v2 alike take it, and the
 * user's own file can name neither.
 */
const withGpus = ({ environment = {} }: Mapping): Mapping => ({
  runtime: "nvidia",
  environment: { ...(environment as Mapping), NVIDIA_VISIBLE_DEVICES: "all" },
});

/** Every service's restart policy; "no" where it names none, as Compose has it. */
export const restartPolicies = (project: ComposeProject): ReadonlyMap<string, RestartPolicy> =>
  new Map(servicesOf(project).map(([name, { restart }]) => [name, policyOf(restart)]));

/** Images in use, each once. */
export const imagesOf = (project: ComposeProject): readonly string[] => [
  ...new Set(servicesOf(project).map(([, { image }]) => String(image))),
];

function policyOf(restart: unknown): RestartPolicy {
  const [when, most] = (typeof restart === "string" ? restart : "no").split(":");
  if (when === "on-failure") return { when, most: most === undefined ? Infinity : Number(most) };
  if (when === "always" || when === "unless-stopped") return { when: "always", most: Infinity };
  return { when: "no", most: 0 };
}

function servicesOf({ file }: ComposeProject): [name: string, service: Mapping][] {
  const { services } = file;
  if (!isMapping(services)) throw new TypeError("services");
  return Object.entries(services) as [string, Mapping][];
}
