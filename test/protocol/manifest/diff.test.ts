import { expect } from "chai";
import fc from "fast-check";
import { stringify } from "yaml";

import {
  changesText,
  diffManifests,
  parseManifest,
  type Manifest,
} from "../../../protocol/manifest/index.ts";

const signer = `0x${"5f".repeat(20)}`;
const DIGEST = `sha256:${"ab".repeat(32)}`;

const manifest = (compose: unknown, launch: Record<string, unknown> = {}): Manifest =>
  parseManifest(
    Buffer.from(
      JSON.stringify({
        manifest_version: 2,
        name: "hello",
        runner: "docker-compose",
        docker_compose_file: typeof compose === "string" ? compose : stringify(compose),
        charter: { lease_signers: [signer] },
        ...launch,
      }),
    ),
  );
const said = (before: Manifest | null, after: Manifest): string[] =>
  changesText(diffManifests(before, after)).split("\n");
const service = (definition: Record<string, unknown>): Manifest =>
  manifest({ services: { web: definition } });

describe("diffManifests", () => {
  it("says nothing of the same manifest", () => {
    expect(said(service({ image: "a" }), service({ image: "a" }))).to.deep.equal(["nothing"]);
  });

  it("names services that came and went, with their images", () => {
    const before = manifest({ services: { web: { image: "web:1" }, old: { image: "old:1" } } });
    const after = manifest({
      services: { web: { image: "web:1" }, fresh: { image: "fresh:1", ports: ["80:80"] } },
    });
    expect(said(before, after)).to.deep.equal([
      "added service fresh: fresh:1",
      "added service fresh: ports: 80:80",
      "removed service old: old:1",
    ]);
  });

  it("shows images with their digests", () => {
    expect(said(service({ image: "web:1" }), service({ image: `web@${DIGEST}` }))).to.deep.equal([
      `changed service web: image: web:1 -> web@${DIGEST}`,
    ]);
  });

  it("names environment variables in both forms, and never tells a value", () => {
    const before = service({ environment: { KEPT: "secret-1", CHANGED: "secret-2", GONE: "secret-3" } });
    const after = service({ environment: ["KEPT=secret-1", "CHANGED=secret-4", "PASSED"] });
    const changes = diffManifests(before, after);
    expect(changesText(changes).split("\n")).to.deep.equal([
      "changed service web: environment CHANGED",
      "removed service web: environment GONE",
      "added service web: environment PASSED",
    ]);
    expect(JSON.stringify(changes)).to.not.include("secret");
    const mistaken = service({ environment: [{ KEPT: "secret-1" }] });
    expect(said(null, mistaken)).to.include("added service web: environment KEPT");
    const first = JSON.stringify(diffManifests(null, after));
    expect(first).to.include("environment KEPT").and.not.include("secret");
  });

  it("tells an unset variable from an empty one, and a repeated one from a single one", () => {
    const unset = manifest("services:\n  web:\n    environment:\n      A:\n");
    const empty = manifest('services:\n  web:\n    environment:\n      A: ""\n');
    expect(said(unset, empty)).to.deep.equal(["changed service web: environment A"]);
    const twice = service({ environment: ["A=1", "A=2"] });
    expect(said(service({ environment: ["A=2"] }), twice)).to.deep.equal([
      "changed service web: environment A",
    ]);
  });

  it("tells ports and volumes item by item, in short and long form", () => {
    const before = service({ ports: ["80:80", "81:81"], volumes: ["data:/data"] });
    const after = service({
      ports: ["81:81"],
      volumes: ["data:/data", { type: "bind", source: "/", target: "/host" }],
    });
    expect(said(before, after)).to.deep.equal([
      "removed service web: ports: 80:80",
      'added service web: volumes: {"source":"/","target":"/host","type":"bind"}',
    ]);
  });

  it("leaves no other key out, nested ones neither", () => {
    const before = manifest({
      services: { web: { deploy: { resources: { limits: { cpus: "1" } } } } },
      volumes: {},
    });
    const after = manifest({
      services: { web: { privileged: true, deploy: { resources: { limits: { cpus: "2" } } } } },
      volumes: { data: { driver: "local" } },
    });
    expect(said(before, after)).to.deep.equal([
      'changed service web: deploy resources limits cpus: "1" -> "2"',
      "added service web: privileged: true",
      'added compose volumes data: {"driver":"local"}',
    ]);
  });

  it("compares a command as a whole: its order is its meaning", () => {
    expect(said(service({ command: ["a", "b"] }), service({ command: ["b", "a"] }))).to.deep.equal([
      'changed service web: command: ["a","b"] -> ["b","a"]',
    ]);
  });

  it("tells launch settings, Charter's own among them", () => {
    const other = `0x${"60".repeat(20)}`;
    const before = manifest({ services: { web: {} } }, { public_logs: true, allowed_envs: ["A"] });
    const after = manifest(
      { services: { web: {} } },
      {
        allowed_envs: ["A", "B"],
        pre_launch_script: "a\nb",
        charter: { lease_signers: [other], persistent: true },
      },
    );
    expect(said(before, after)).to.deep.equal([
      "added launch allowed_envs: B",
      `removed launch charter lease_signers: ${signer}`,
      `added launch charter lease_signers: ${other}`,
      "changed launch charter persistent: false -> true",
      'added launch pre_launch_script: "a\\nb"',
      "removed launch public_logs: true",
    ]);
  });

  it("compares spellings: what two YAML readers take for different numbers is a change", () => {
    const spelled = (mode: string) => manifest(`services:\n  web:\n    mode: ${mode}\n`);
    expect(said(spelled("010"), spelled("10"))).to.deep.equal(["changed service web: mode: 010 -> 10"]);
    expect(said(spelled("yes"), spelled('"yes"'))).to.deep.equal(['changed service web: mode: yes -> "yes"']);
    expect(said(spelled("-1"), spelled('"-1"'))).to.deep.equal(['changed service web: mode: -1 -> "-1"']);
    // Without a digit nobody takes it for a number: what shells are given most often is shown as it is.
    for (const [bare, quoted] of [
      ["a", "'a'  # why"],
      ["-c", '"-c"'],
    ] as const) {
      expect(said(spelled(bare), spelled(quoted))).to.deep.equal([
        "changed compose file: comments, quotes or the order of keys only",
      ]);
    }
  });

  it("lets no name or value write a line of its own", () => {
    const evil = "web\nremoved service web";
    const after = manifest({
      services: { [evil]: { image: "\u202eevil\u001b[2J", environment: [`A\nB=1`] } },
    });
    expect(changesText(diffManifests(null, after)).split("\n").slice(0, 2)).to.deep.equal([
      String.raw`added service "web\nremoved service web": "\u202eevil\u001b[2J"`,
      String.raw`added service "web\nremoved service web": environment "A\nB"`,
    ]);
  });

  it("refuses a file that cannot be read, aliases, tags, keys that are no text, and endless text", () => {
    for (const text of [
      "a: [",
      "services: {}",
      "[]",
      "services:\n  web: text\n",
      "services: {a: &x {}, b: *x}",
      "services: {a: !t {}}",
      "services: {a: {[b]: c}}",
      `services: {a: {b: ${"c".repeat(262_144)}}}`,
      `services:\n${"? ".repeat(100_000)}`,
      `services: {a: ${"{b: ".repeat(70)}c${"}".repeat(70)}}`,
    ]) {
      expect(() => diffManifests(null, manifest(text)), text.slice(0, 40))
        .to.throw()
        .with.property("code", "compose/malformed");
    }
  });

  it("is empty only for equal files, and mirrored when the two are swapped", () => {
    const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
    const word = fc.constantFrom("a", "b", "1", "yes", "", "x y", "__proto__");
    const value = fc.letrec((tie) => ({
      node: fc.oneof(
        { maxDepth: 3 },
        word,
        fc.array(tie("node"), { maxLength: 3 }),
        fc.dictionary(word, tie("node"), { maxKeys: 3 }),
      ),
    })).node;
    const services = fc.dictionary(
      fc.constantFrom("web", "db"),
      fc.dictionary(fc.constantFrom("image", "ports", "environment", "command", "deploy"), value),
      { minKeys: 1 },
    );
    const property = fc.property(services, services, (one, other) => {
      const [a, b] = [manifest({ services: one }), manifest({ services: other })];
      const [forth, back] = [diffManifests(a, b), diffManifests(b, a)];
      expect(forth.length === 0).to.equal(a.docker_compose_file === b.docker_compose_file);
      const mirror = { added: "removed", removed: "added", changed: "changed" };
      const key = (subject: string, kind: string) => `${kind} ${subject.replace(/^(service \w+).*$/, "$1")}`;
      const mirrored = new Set(back.map(({ subject, kind }) => key(subject, mirror[kind])));
      for (const { subject, kind } of forth) {
        const [, name] = /^service (\w+)/.exec(subject) ?? [];
        const inBoth = name === undefined || (Object.hasOwn(one, name) && Object.hasOwn(other, name));
        if (inBoth) expect(mirrored).to.include(key(subject, kind));
      }
    });
    fc.assert(property, { seed, numRuns: 300 });
  });
});
