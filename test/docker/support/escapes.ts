/** Compose files that reach beyond the app, by what they try. Each is otherwise fit to run. */
export function escapes(image: string): Readonly<Record<string, unknown>> {
  const service = (changes: object): unknown => ({ services: { web: { image, ...changes } } });
  return {
    privileged: service({ privileged: true }),
    "host mount": service({ volumes: ["/:/host"] }),
    "relative host mount": service({ volumes: ["./secret:/host"] }),
    "a volume that binds /": {
      services: { web: { image, volumes: ["all:/host"] } },
      volumes: { all: { driver: "local", driver_opts: { type: "none", o: "bind", device: "/" } } },
    },
    "host network": service({ network_mode: "host" }),
    "host pid": service({ pid: "host" }),
    "host ipc": service({ ipc: "host" }),
    "docker socket": service({ volumes: ["/var/run/docker.sock:/var/run/docker.sock"] }),
    cap_add: service({ cap_add: ["SYS_ADMIN"] }),
    devices: service({ devices: ["/dev/mem:/dev/mem"] }),
    volumes_from: service({ volumes_from: ["container:other"] }),
    extends: service({ extends: { file: "/etc/passwd", service: "web" } }),
    include: { include: ["/etc/passwd"], services: { web: { image } } },
    build: service({ build: "/" }),
    env_file: service({ env_file: "/etc/environment" }),
    "a variable of the host": service({ environment: ["HOST_SECRET"] }),
    "a substituted variable": service({ environment: { SECRET: "${HOST_SECRET}" } }),
    "external volume": { services: { web: { image } }, volumes: { other: { external: true } } },
    "a port of the host": service({ ports: ["22:22"] }),
    "unknown key": service({ surprise: true }),
  };
}
