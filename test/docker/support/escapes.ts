/** One way out, and the path of what must be refused of it. */
export interface Escape {
  readonly compose: unknown;
  readonly refused: string;
}

/** The Compose file that every escape below adds to: it is fit to run as it stands. */
export const bare = (image: string): Record<string, unknown> => ({
  image,
  command: ["sleep", "1000"],
  // The first process of a container does not hear SIGTERM unless it asks to.
  stop_signal: "SIGKILL",
});

/** Compose files that reach beyond the app, by what they try: each is the bare one and what it tries, nothing else. */
export function escapes(image: string): Readonly<Record<string, Escape>> {
  const web = bare(image);
  const service = (changes: object, refused: string): Escape => ({
    compose: { services: { web: { ...web, ...changes } } },
    refused: `services.web.${refused}`,
  });
  const beside = (changes: object, refused: string, more: object = {}): Escape => ({
    compose: { services: { web: { ...web, ...more } }, ...changes },
    refused,
  });
  const mounted = { volumes: ["all:/host"] };
  return {
    privileged: service({ privileged: true }, "privileged"),
    "host mount": service({ volumes: ["/:/host"] }, "volumes[0]"),
    "relative host mount": service({ volumes: ["./secret:/host"] }, "volumes[0]"),
    "a volume that binds /": beside(
      { volumes: { all: { driver_opts: { type: "none", o: "bind", device: "/" } } } },
      "volumes.all.driver_opts",
      mounted,
    ),
    "a volume's driver": beside({ volumes: { all: { driver: "local" } } }, "volumes.all.driver", mounted),
    "external volume": beside({ volumes: { all: { external: true } } }, "volumes.all.external", mounted),
    "host network": service({ network_mode: "host" }, "network_mode"),
    "host pid": service({ pid: "host" }, "pid"),
    "host ipc": service({ ipc: "host" }, "ipc"),
    "docker socket": service({ volumes: ["/var/run/docker.sock:/var/run/docker.sock"] }, "volumes[0]"),
    cap_add: service({ cap_add: ["SYS_ADMIN"] }, "cap_add"),
    devices: service({ devices: ["/dev/mem:/dev/mem"] }, "devices"),
    volumes_from: service({ volumes_from: ["container:other"] }, "volumes_from"),
    extends: service({ extends: { file: "/etc/passwd", service: "web" } }, "extends"),
    include: beside({ include: ["/etc/passwd"] }, "include"),
    build: service({ build: "/" }, "build"),
    env_file: service({ env_file: "/etc/environment" }, "env_file"),
    "a variable of the host": service({ environment: ["HOST_SECRET"] }, "environment[0]"),
    "a substituted variable": service({ environment: { SECRET: "${HOST_SECRET}" } }, "environment.SECRET"),
    "a port of the host": service({ ports: ["22:22"] }, "ports[0]"),
    "unknown key": service({ surprise: true }, "surprise"),
  };
}
