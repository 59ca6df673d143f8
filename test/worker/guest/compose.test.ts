import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "chai";

import { CharterError } from "../../../protocol/errors/CharterError.ts";
import { parseCompose } from "../../../worker/guest/compose/parseCompose.ts";

const parse = (text: string, hostPorts: readonly number[] = []) => parseCompose(text, { hostPorts });

/** Code and path of the refusal, or "accepted". */
function refused(text: string, hostPorts?: readonly number[]): string {
  try {
    parse(text, hostPorts);
    return "accepted";
  } catch (error) {
    if (!(error instanceof CharterError)) throw error;
    const { path } = error.details as { path?: string };
    return path === undefined ? error.code : `${error.code} ${path}`;
  }
}

const service = (lines: string) =>
  `services:\n  web:\n    image: busybox\n${lines.replaceAll(/^/gm, "    ")}\nvolumes:\n  data:\nnetworks:\n  inside:\n`;

describe("the Compose allow-list", () => {
  it("accepts the example and names its unpinned image", () => {
    const example = fileURLToPath(new URL("../../../examples/hello/docker-compose.yml", import.meta.url));
    expect(parse(readFileSync(example, "utf8")).unpinnedImages).to.deep.equal(["busybox:1.36"]);
  });

  it("accepts what ordinary apps use, and gives Compose its own reading of it", () => {
    const { file, services, unpinnedImages } = parse(`
version: "3.8"
services:
  web:
    image: registry.example/web@sha256:${"ab".repeat(32)}
    command: ["serve", "--cost=$$5"]
    environment: { PORT: 8080, DEBUG: false, EMPTY: "" }
    expose: [8080]
    depends_on: { store: { condition: service_healthy } }
    restart: unless-stopped
    networks: { inside: { aliases: [front] } }
    volumes: ["cache:/cache:ro", { type: tmpfs, target: /run/scratch }, /anonymous]
    read_only: true
    tmpfs: /tmp
    cap_drop: [ALL]
    mem_limit: 256m
    cpus: 0.5
    stop_grace_period: 1m30s
  store:
    image: postgres:18
    environment: ["POSTGRES_PASSWORD=a=b"]
    volumes: [{ type: volume, source: cache, target: /var/lib/data, read_only: false }]
    healthcheck: { test: [CMD, pg_isready], interval: 5s, retries: 3 }
volumes: { cache: }
networks: { inside: { internal: true } }
`);
    expect(services).to.deep.equal(["web", "store"]);
    expect(unpinnedImages).to.deep.equal(["postgres:18"]);
    expect(file).to.not.have.property("version");
    expect(file).to.have.nested.property("services.web.environment.PORT", "8080");
    expect(file).to.have.nested.property("services.store.environment.POSTGRES_PASSWORD", "a=b");
    expect(file).to.deep.include({ volumes: { cache: {} }, networks: { inside: { internal: true } } });
  });

  const KEY = "compose/key-not-allowed services.web.";
  const VALUE = "compose/value-not-allowed services.web.";
  const escapes: Record<string, readonly [lines: string, refusal: string]> = {
    privileged: ["privileged: true", `${KEY}privileged`],
    "a host mount": ["volumes: ['/etc:/etc']", `${VALUE}volumes[0]`],
    "a mount of the working directory": ["volumes: ['.:/data']", `${VALUE}volumes[0]`],
    "a mount of the home directory": ["volumes: ['~/.ssh:/keys:ro']", `${VALUE}volumes[0]`],
    "a host mount in long form": [
      "volumes: [{ type: bind, source: /etc, target: /etc }]",
      `${VALUE}volumes[0].type`,
    ],
    "a host mount as a volume's source": [
      "volumes: [{ type: volume, source: /etc, target: /etc }]",
      `${VALUE}volumes[0].source`,
    ],
    "a mount with bind options": [
      "volumes: [{ type: volume, source: data, target: /x, bind: { propagation: shared } }]",
      `${KEY}volumes[0].bind`,
    ],
    "a mount mode that relabels": ["volumes: ['data:/data:z']", `${VALUE}volumes[0]`],
    "a volume that is declared nowhere": ["volumes: ['other:/data']", `${VALUE}volumes[0]`],
    "the docker socket": ["volumes: ['/var/run/docker.sock:/var/run/docker.sock']", `${VALUE}volumes[0]`],
    use_api_socket: ["use_api_socket: true", `${KEY}use_api_socket`],
    "the host's network": ["network_mode: host", `${KEY}network_mode`],
    "another container's network": ["network_mode: 'container:other'", `${KEY}network_mode`],
    "the host's processes": ["pid: host", `${KEY}pid`],
    "the host's IPC": ["ipc: host", `${KEY}ipc`],
    "the host's UTS": ["uts: host", `${KEY}uts`],
    "the host's users": ["userns_mode: host", `${KEY}userns_mode`],
    "the host's cgroup": ["cgroup: host", `${KEY}cgroup`],
    cgroup_parent: ["cgroup_parent: /", `${KEY}cgroup_parent`],
    cap_add: ["cap_add: [SYS_ADMIN]", `${KEY}cap_add`],
    devices: ["devices: ['/dev/mem:/dev/mem']", `${KEY}devices`],
    device_cgroup_rules: ["device_cgroup_rules: ['c 1:1 rwm']", `${KEY}device_cgroup_rules`],
    gpus: ["gpus: all", `${KEY}gpus`],
    "a device through deploy": [
      "deploy: { resources: { reservations: { devices: [{ capabilities: [gpu] }] } } }",
      `${KEY}deploy`,
    ],
    volumes_from: ["volumes_from: ['container:other']", `${KEY}volumes_from`],
    extends: ["extends: { file: /etc/passwd, service: x }", `${KEY}extends`],
    build: ["build: .", `${KEY}build`],
    env_file: ["env_file: /etc/environment", `${KEY}env_file`],
    "a variable of the host in a list": ["environment: [HOST_SECRET]", `${VALUE}environment[0]`],
    "a variable of the host in a mapping": [
      "environment: { HOST_SECRET: }",
      `${VALUE}environment.HOST_SECRET`,
    ],
    // It would be left out without a word: no object of JavaScript takes it as it takes others.
    "a variable that is no key": ["environment: { __proto__: a }", `${VALUE}environment.__proto__`],
    "a variable that is no key, in a list": ["environment: ['__proto__=a']", `${VALUE}environment[0]`],
    "an interpolated variable": ["environment: { A: '${HOST_SECRET}' }", `${VALUE}environment.A`],
    "an interpolated variable without braces": ["command: ['echo', '$HOST_SECRET']", `${VALUE}command[1]`],
    "an interpolated variable behind a doubled dollar": ["command: 'echo $$$HOST_SECRET'", `${VALUE}command`],
    "an interpolated image": ["working_dir: '/${HOST_SECRET}'", `${VALUE}working_dir`],
    security_opt: ["security_opt: ['apparmor:unconfined']", `${KEY}security_opt`],
    sysctls: ["sysctls: { kernel.shmmax: 1 }", `${KEY}sysctls`],
    runtime: ["runtime: sysbox", `${KEY}runtime`],
    extra_hosts: ["extra_hosts: ['a:1.2.3.4']", `${KEY}extra_hosts`],
    container_name: ["container_name: other", `${KEY}container_name`],
    credential_spec: ["credential_spec: { file: x }", `${KEY}credential_spec`],
    "a log driver": ["logging: { driver: syslog }", `${KEY}logging`],
    configs: ["configs: [x]", `${KEY}configs`],
    secrets: ["secrets: [x]", `${KEY}secrets`],
    "an extension": ["x-anything: 1", `${KEY}x-anything`],
    "a key that nobody knows": ["surprise: 1", `${KEY}surprise`],
    "a key of every object": ["toString: 1", `${KEY}toString`],
    "a network that is declared nowhere": ["networks: [outside]", `${VALUE}networks[0]`],
    "an address on a network": [
      "networks: { inside: { ipv4_address: 1.2.3.4 } }",
      `${KEY}networks.inside.ipv4_address`,
    ],
    "a port of the host": ["ports: ['80:80']", `${VALUE}ports[0]`],
    "a random port of the host": ["ports: ['80']", `${VALUE}ports[0]`],
    "a port of the host in long form": ["ports: [{ target: 80, published: 80 }]", `${VALUE}ports[0]`],
    "a range of ports of the host": ["ports: ['1-65535:1-65535']", `${VALUE}ports[0]`],
  };
  for (const [what, [lines, refusal]] of Object.entries(escapes)) {
    it(`refuses ${what}`, () => {
      expect(refused(service(lines))).to.equal(refusal);
    });
  }

  const WEB = "services: { web: { image: busybox } }\n";
  const files: Record<string, readonly [text: string, refusal: string]> = {
    include: [`${WEB}include: [other.yml]`, "compose/key-not-allowed include"],
    name: [`${WEB}name: other`, "compose/key-not-allowed name"],
    "configs from the host": [
      `${WEB}configs: { x: { file: /etc/passwd } }`,
      "compose/key-not-allowed configs",
    ],
    "secrets from the host": [
      `${WEB}secrets: { x: { file: /etc/passwd } }`,
      "compose/key-not-allowed secrets",
    ],
    "an external volume": [
      `${WEB}volumes: { data: { external: true } }`,
      "compose/key-not-allowed volumes.data.external",
    ],
    "a volume that binds the host": [
      `${WEB}volumes: { data: { driver_opts: { type: none, o: bind, device: / } } }`,
      "compose/key-not-allowed volumes.data.driver_opts",
    ],
    "another volume by name": [
      `${WEB}volumes: { data: { name: other } }`,
      "compose/key-not-allowed volumes.data.name",
    ],
    "a volume driver": [
      `${WEB}volumes: { data: { driver: local } }`,
      "compose/key-not-allowed volumes.data.driver",
    ],
    "an external network": [
      `${WEB}networks: { n: { external: true } }`,
      "compose/key-not-allowed networks.n.external",
    ],
    "the host's network by a driver": [
      `${WEB}networks: { n: { driver: host } }`,
      "compose/value-not-allowed networks.n.driver",
    ],
    "a service without image": [
      "services: { web: { command: ls } }",
      "compose/value-not-allowed services.web.image",
    ],
    "no service": ["services: {}", "compose/value-not-allowed services"],
    "no services": ["volumes: {}", "compose/value-not-allowed services"],
    "a service that is none": ["services: { web: }", "compose/value-not-allowed services.web"],
    "a list for a file": ["- a", "compose/value-not-allowed the file"],
    nothing: ["", "compose/value-not-allowed the file"],
    "a key twice": ["services: { web: { image: a } }\nservices: { web: { image: b } }", "compose/malformed"],
    "a key twice, once as a number": [
      'services: { 1: { image: a }, "1": { image: b } }',
      "compose/malformed",
    ],
    "a key twice, once as a boolean": [
      'services: { web: { image: a, environment: { true: a, "true": b } } }',
      "compose/malformed",
    ],
    "a key that is a list": ["services: { ? [web] : { image: a } }", "compose/malformed"],
    "two documents": [`${WEB}---\n${WEB}`, "compose/malformed"],
    "an anchor": ["services: { web: &a { image: busybox } }", "compose/malformed"],
    "an alias": ["a: &a b\nservices: { web: *a }", "compose/malformed"],
    "a merge key": [
      "services: { web: { <<: { privileged: true }, image: busybox } }",
      "compose/key-not-allowed services.web.<<",
    ],
    "a tag": ["services: !!binary aGVsbG8=", "compose/malformed"],
    "a tag of one's own": ["services: { web: { image: !reset null } }", "compose/malformed"],
    "deep nesting": [`services: ${"[".repeat(2_000)}${"]".repeat(2_000)}`, "compose/malformed"],
    "a long file": [`${WEB}# ${"x".repeat(262_144)}`, "compose/malformed"],
    "no YAML": ["services: {", "compose/malformed"],
    "a name that leads elsewhere": [
      "services: { '../web': { image: busybox } }",
      "compose/value-not-allowed services.../web",
    ],
    "a name of every object's": [
      "services: { __proto__: { image: busybox, privileged: true } }",
      "compose/value-not-allowed services.__proto__",
    ],
  };
  for (const [what, [text, refusal]] of Object.entries(files)) {
    it(`refuses a file with ${what}`, () => {
      expect(refused(text)).to.equal(refusal);
    });
  }

  it("publishes ports of the host that the node's configuration names, and no other", () => {
    const text = service("ports: ['8080:80', '8081:80/tcp']");
    expect(refused(text, [8080, 8081])).to.equal("accepted");
    expect(refused(text, [8080])).to.equal("compose/value-not-allowed services.web.ports[1]");
  });
});
