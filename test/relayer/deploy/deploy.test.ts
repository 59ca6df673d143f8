import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { expect } from "chai";
import { parse, parseAllDocuments } from "yaml";
import { z } from "zod";

import { createMetrics } from "../../../relayer/api/metrics.ts";
import { registerServiceMetrics } from "../../../relayer/api/serviceMetrics.ts";
import { readRelayerConfig } from "../../../relayer/config.ts";
import { isCharterError } from "../../../protocol/errors/CharterError.ts";
import { composeSchema, kubernetesSchema } from "./schemas.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");

/** Names that `/metrics` serves, with the three that a histogram's lines have. */
async function servedMetrics(): Promise<Set<string>> {
  const status = () => ({
    ready: false,
    newest: null,
    final: null,
    reorgs: 0,
    deepReorgs: 0,
    lastError: null,
  });
  const { registry } = createMetrics({
    status,
    headAgeSeconds: () => 0,
    intents: () =>
      Promise.resolve({ planned: 0, signed: 0, sent: 0, included: 0, final: 0, failed: 0, replaced: 0 }),
  });
  registerServiceMetrics(registry, {
    status,
    now: () => 0,
    outbox: () => ({ leading: true, lastError: null }),
    outboxAges: () => Promise.resolve(new Map()),
    atFeeCap: () => Promise.resolve(0),
    leases: () => ({ active: 0, keys: 0, sessions: 0 }),
    verifications: () => 0,
    placements: () => ({ placed: 0, drained: 0, silent: 0, closed: 0 }),
    streams: () => 0,
  });
  const metrics = await registry.getMetricsAsJSON();
  return new Set(
    metrics.flatMap(({ name, type }) =>
      (type as unknown as string) === "histogram"
        ? [`${name}_bucket`, `${name}_sum`, `${name}_count`]
        : [name],
    ),
  );
}

const metricsIn = (expression: string): string[] =>
  expression.match(/\b(?:charter|process|nodejs)_[a-z0-9_]+/g) ?? [];

/** Variables of a configuration that the relayer refuses as unknown to it would be silent: each must be one that it reads. */
const knownVariables = new Set(
  read("relayer/config.ts")
    .match(/^ {2}[A-Z][A-Z_]+(?=:)/gm)
    ?.map((name) => name.trim()),
);

describe("operating files", () => {
  let served: Set<string>;
  before(async () => {
    served = await servedMetrics();
  });

  describe("docker-compose.yml", () => {
    const file = parse(read("deploy/docker-compose.yml"), { merge: true }) as z.input<typeof composeSchema>;

    it("shape_ofVersion1_isKept", () => {
      const compose = composeSchema.parse(file);
      expect(Object.keys(compose.services)).to.deep.equal([
        "postgres",
        "graph-node",
        "relayer-1",
        "relayer-2",
      ]);
      expect(read("deploy/docker-compose.yml")).not.to.match(/^(name|include|configs):|develop:/m);
    });

    it("relayers_shareTheDatabaseAndDropAllRights", () => {
      const { services } = composeSchema.parse(file);
      const [one, two] = [services["relayer-1"], services["relayer-2"]];
      expect(one?.environment).to.deep.equal(two?.environment);
      for (const relayer of [one, two]) {
        expect(relayer).to.deep.include({ read_only: true, cap_drop: ["ALL"] });
        for (const name of Object.keys(relayer?.environment ?? {}))
          expect([...knownVariables]).to.include(name);
      }
      for (const { ports } of Object.values(services)) {
        for (const port of ports ?? []) expect(port).to.match(/^127\.0\.0\.1:/);
      }
    });

    it("dockerCompose_whereInstalled_takesIt", function () {
      if (spawnSync("docker-compose", ["--version"]).status !== 0) this.skip();
      const names = read("deploy/.env.example").match(/^[A-Z_]+(?==)/gm) ?? [];
      const environment = Object.fromEntries(
        names.map((name) => [name, name === "CHAIN_ID" ? "1" : `/x/${name}`]),
      );
      const run = spawnSync(
        "docker-compose",
        ["-f", join(ROOT, "deploy/docker-compose.yml"), "config", "-q"],
        {
          cwd: tmpdir(),
          env: { PATH: process.env["PATH"], ...environment },
          encoding: "utf8",
        },
      );
      expect([run.status, run.stderr]).to.deep.equal([0, ""]);
    });
  });

  describe("Dockerfile", () => {
    const lines = read("deploy/Dockerfile")
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"));

    it("image_ofStages_endsWithoutRoot", () => {
      expect(lines.filter((line) => line.startsWith("FROM "))).to.have.length(2);
      expect(lines.findLast((line) => line.startsWith("USER "))).to.match(/^USER [1-9]\d*:[1-9]\d*$/);
    });

    it("whatItCopies_isAllThatTheRelayerImports", () => {
      const copied = lines.flatMap((line) => /^COPY (?!--from)(\S+) (?:\.\/|\S+)$/.exec(line)?.[1] ?? []);
      const dir = mkdtempSync(join(tmpdir(), "charter-image-"));
      try {
        for (const path of copied) {
          expect(existsSync(join(ROOT, path)), path).to.equal(true);
          cpSync(join(ROOT, path), join(dir, path), { recursive: true });
        }
        symlinkSync(join(ROOT, "node_modules"), join(dir, "node_modules"));
        // It comes as far as its configuration, which is empty here.
        const run = spawnSync(process.execPath, ["relayer/main.ts"], { cwd: dir, env: {}, encoding: "utf8" });
        expect(run.status).to.equal(1);
        expect(run.stderr).to.contain("config/invalid");
      } finally {
        rmSync(dir, { recursive: true });
      }
    });
  });

  describe(".dockerignore", () => {
    it("context_ofBothImages_isWhatTheyCopy", () => {
      const allowed = read(".dockerignore").match(/^!\S+$/gm) ?? [];
      const copied = ["deploy/Dockerfile", "deploy/Dockerfile.node"].flatMap((file) =>
        [...read(file).matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, paths]) =>
          String(paths).split(" "),
        ),
      );
      expect(new Set(allowed)).to.deep.equal(new Set(copied.map((path) => `!${path}`)));
      expect(read(".dockerignore")).to.match(/^\*$/m);
    });
  });

  describe("Kubernetes manifests", () => {
    const documents = parseAllDocuments(read("deploy/kubernetes/relayer.yaml"), { uniqueKeys: true });
    const manifests = documents.map((document) => kubernetesSchema.parse(document.toJS()));
    const ofKind = <K extends (typeof manifests)[number]["kind"]>(kind: K) =>
      manifests.find((one) => one.kind === kind) as Extract<(typeof manifests)[number], { kind: K }>;

    it("manifests_allKinds_haveTheirSchemasShape", () => {
      expect(documents.flatMap(({ errors }) => errors)).to.deep.equal([]);
      expect(manifests.map(({ kind }) => kind)).to.have.members([
        "Namespace",
        "ServiceAccount",
        "ConfigMap",
        "Deployment",
        "Service",
        "PodDisruptionBudget",
        "NetworkPolicy",
      ]);
    });

    it("selectors_ofEverything_findThePods", () => {
      const labels = ofKind("Deployment").spec.template.metadata.labels;
      expect(ofKind("Deployment").spec.selector.matchLabels).to.deep.equal(labels);
      expect(ofKind("Service").spec.selector).to.deep.equal(labels);
      expect(ofKind("PodDisruptionBudget").spec.selector.matchLabels).to.deep.equal(labels);
      expect(ofKind("NetworkPolicy").spec.podSelector.matchLabels).to.deep.equal(labels);
      expect(ofKind("Deployment").spec.replicas).to.be.greaterThan(
        ofKind("PodDisruptionBudget").spec.minAvailable,
      );
    });

    it("secrets_byReferenceOnly_andEveryVariableIsOneThatTheRelayerReads", () => {
      const [container] = ofKind("Deployment").spec.template.spec.containers;
      const names = [
        ...Object.keys(ofKind("ConfigMap").data),
        ...(container?.env ?? []).map(({ name }) => name),
      ];
      for (const name of names) expect([...knownVariables]).to.include(name);
      expect(new Set(names).size).to.equal(names.length);
      expect(read("deploy/kubernetes/relayer.yaml")).not.to.match(
        /kind: Secret|0x[0-9a-f]{64}|postgres:\/\//,
      );
      // Nothing that has to be set is missing: only what no test can bring (files) is refused.
      const values = Object.fromEntries(
        names.map((name) => [name, ofKind("ConfigMap").data[name] ?? "http://x.example"]),
      );
      try {
        readRelayerConfig({
          ...values,
          DATABASE_URL: "postgres://x/y",
          CHARTER_LEASE_KEY: `0x${"11".repeat(32)}`,
          CHARTER_ADMIN_TOKEN: "t".repeat(32),
        });
        expect.fail("a deployment file that is not here was taken");
      } catch (error) {
        if (!isCharterError(error)) throw error;
        const problems = error.details["problems"] as { variable: string }[];
        expect(problems.map(({ variable }) => variable)).to.deep.equal(["CHARTER_DEPLOYMENT"]);
      }
    });
  });

  describe("dashboard and alerts", () => {
    it("dashboard_everyMetric_isServed", () => {
      const target = z.strictObject({ refId: z.string(), expr: z.string().min(1), legendFormat: z.string() });
      const dashboard = z
        .object({
          uid: z.string(),
          title: z.string(),
          schemaVersion: z.number(),
          panels: z
            .array(z.object({ id: z.number(), title: z.string(), targets: z.array(target).min(1) }))
            .min(1),
        })
        .parse(JSON.parse(read("deploy/monitoring/dashboard.json")));
      for (const { title, targets } of dashboard.panels) {
        for (const { expr } of targets) {
          expect(metricsIn(expr), title).not.to.deep.equal([]);
          for (const name of metricsIn(expr)) expect([...served], title).to.include(name);
        }
      }
    });

    it("alerts_everyMetricIsServed_andEveryRunbookIsThere", () => {
      const rule = z.strictObject({
        alert: z.string().regex(/^Charter[A-Za-z]+$/),
        expr: z.string().min(1),
        for: z.string().regex(/^\d+[smh]$/),
        labels: z.strictObject({ severity: z.enum(["warning", "critical"]) }),
        annotations: z.strictObject({ summary: z.string(), runbook: z.string() }),
      });
      const { groups } = z
        .strictObject({
          groups: z.array(z.strictObject({ name: z.string(), rules: z.array(rule).min(1) })).min(1),
        })
        .parse(parse(read("deploy/monitoring/alerts.yml")));
      const headings = new Set(
        read("docs/operations.md")
          .match(/^#+ .+$/gm)
          ?.map((line) => line.replace(/^#+ /, "").toLowerCase().replaceAll(" ", "-")),
      );
      for (const { alert, expr, annotations } of groups.flatMap(({ rules }) => rules)) {
        expect(metricsIn(expr), alert).not.to.deep.equal([]);
        for (const name of metricsIn(expr)) expect([...served], alert).to.include(name);
        const [page, anchor] = annotations.runbook.split("#");
        expect(page).to.equal("docs/operations.md");
        expect([...headings], alert).to.include(anchor);
      }
    });

    it("metric_thatIsNot_wouldBeFound", () => {
      expect(metricsIn("rate(charter_nothing_total[5m]) > charter_decision_seconds_bucket")).to.deep.equal([
        "charter_nothing_total",
        "charter_decision_seconds_bucket",
      ]);
      expect(served.has("charter_nothing_total")).to.equal(false);
      expect(served.has("charter_decision_seconds_bucket")).to.equal(true);
    });
  });
});
