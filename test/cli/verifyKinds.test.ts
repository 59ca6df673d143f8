import { expect } from "chai";

import { parseCertificate } from "../../protocol/der/certificate.ts";
import { fromHex, toHex } from "../../protocol/words/hex.ts";
import { gpuResponses, rimResponses } from "../protocol/evidence/gpu/simulatedOcsp.ts";
import { NONCE_HEX } from "../protocol/evidence/gpu/simulatedGpu.ts";
import { attest, REPORT_DATA } from "../protocol/evidence/snp/simulatedSnp.ts";
import { CharterThread } from "./support/CharterThread.ts";
import { AT, EvidenceFiles, USER_DATA } from "./support/evidenceFiles.ts";
import { makeFolder } from "./support/folder.ts";
import type { Run } from "./support/runCharter.ts";

const folder = makeFolder();
const files = new EvidenceFiles(folder);

type Kind = "snp" | "nitro" | "gpu" | "nras";
/** What every run of a kind has: when, and under which root or keys. */
const judgedBy: Readonly<Record<Kind, () => string[]>> = {
  snp: () => ["--at", AT.snp, ...files.root("snp")],
  nitro: () => ["--at", AT.nitro, ...files.root("nitro")],
  gpu: () => ["--at", AT.gpu, ...files.root("gpu")],
  nras: () => ["--at", AT.gpu, ...files.nrasKeys()],
};
const floors = (snp: number) => ({ Milan: { bootloader: 4, tee: 0, snp, microcode: 219 } });
const askSerial = (): Uint8Array => fromHex(parseCertificate(attest().certificates.ask).serial);

interface Accepted {
  readonly kind: Kind;
  readonly name: string;
  readonly args: () => string[];
  /** What the result has, beside `kind` and `simulated`. */
  readonly result: Readonly<Record<string, unknown>>;
  readonly checks?: readonly string[];
  /** Sentences that `unchecked` may not have any more; each is there by default. */
  readonly said?: RegExp;
}

const ACCEPTED: readonly Accepted[] = [
  {
    kind: "snp",
    name: "a report with AMD's certificates beside it",
    args: () => files.snp(),
    result: { status: "UpToDate", reportData: toHex(REPORT_DATA), product: "Milan", signer: "VCEK" },
    checks: ["root-pinned", "snp-signature", "snp-chip-id", "snp-debug"],
  },
  {
    kind: "snp",
    name: "the same held to AMD's list, to a lowest version and to facts",
    args: () => [
      ...files.snp(),
      ...files.amdCrl(),
      ...["--amd-minimum-tcb", files.json(floors(24))],
      ...["--report-data", toHex(REPORT_DATA), "--expect", "product=Milan", "--expect", "vmpl=0"],
    ],
    result: { status: "UpToDate" },
    checks: ["snp-crl-signature", "snp-revoked", "expected-report-data", "expected-fact"],
    said: /revoked|too old/,
  },
  {
    kind: "snp",
    name: "a report below the lowest version, as out of date",
    args: () => [...files.snp(), "--amd-minimum-tcb", files.json(floors(25))],
    result: { status: "OutOfDate" },
  },
  {
    kind: "snp",
    name: "a report of a product that the lowest versions leave out, as out of date",
    args: () => [
      ...files.snp(),
      ...["--amd-minimum-tcb", files.json({ Genoa: { bootloader: 0, tee: 0, snp: 0, microcode: 0 } })],
    ],
    result: { status: "OutOfDate" },
  },
  {
    kind: "nitro",
    name: "a document that is young enough",
    args: () => [files.nitro(), "--max-age", "3600", "--report-data", toHex(USER_DATA)],
    result: { status: null, reportData: toHex(USER_DATA) },
    checks: ["nitro-signature", "nitro-age", "nitro-debug", "expected-report-data"],
  },
  {
    kind: "gpu",
    name: "a report over this nonce",
    args: () => [files.gpu(), "--report-data", NONCE_HEX],
    result: { gpus: 1, hwModel: ["GH100 A01 GSP BROM"], driverVersion: ["590.12"] },
    checks: ["gpu-signature", "gpu-nonce", "gpu-mode"],
    said: /when it was asked/,
  },
  {
    kind: "gpu",
    name: "a report held to manifests and to revocation, of their signers too",
    args: () => [files.gpu(), ...files.rims(), ...files.ocsp([...gpuResponses(), ...rimResponses()])],
    result: { gpus: 1 },
    checks: [
      "ocsp-issuer",
      "ocsp-signature",
      "rim-signature",
      "rim-digest",
      "gpu-measurements",
      "gpu-revoked",
    ],
    said: /manifests|revoked/,
  },
  {
    kind: "gpu",
    name: "a report held to revocation alone",
    args: () => [files.gpu(), ...files.ocsp(gpuResponses())],
    result: { gpus: 1 },
    checks: ["gpu-ocsp-validity", "gpu-revoked"],
    said: /revoked/,
  },
  {
    kind: "nras",
    name: "a token of two GPUs",
    args: () => [files.token({ gpus: 2 }), "--report-data", NONCE_HEX],
    result: { gpus: 2, ueid: ["1000", "1001"] },
    checks: ["gpu-eat-signature", "gpu-eat-digests", "gpu-claims-secure-boot"],
  },
];

interface Refused {
  readonly kind: Kind;
  readonly name: string;
  readonly args: () => string[];
  readonly code: string;
  /** 3 where evidence does not verify, 1 where what was asked makes no sense. */
  readonly exitCode?: number;
}

const REFUSED: readonly Refused[] = [
  { kind: "snp", name: "a debug guest", args: () => files.snp({ debug: true }), code: "evidence/snp-debug" },
  {
    kind: "snp",
    name: "a report without certificates",
    args: () => files.snp().slice(0, 1),
    code: "evidence/collateral-missing",
  },
  {
    kind: "snp",
    name: "a revoked ASK",
    args: () => [...files.snp(), ...files.amdCrl({ revokedSerials: [askSerial()] })],
    code: "evidence/snp-revoked",
  },
  {
    kind: "snp",
    name: "a fact that it does not have",
    args: () => [...files.snp(), "--expect", "product=Turin"],
    code: "evidence/expected-fact",
  },
  {
    kind: "snp",
    name: "lowest versions with a part left out",
    args: () => [...files.snp(), "--amd-minimum-tcb", files.json({ Milan: { snp: 24 } })],
    code: "collateral/malformed",
    exitCode: 1,
  },
  {
    kind: "snp",
    name: "manifests of NVIDIA's beside a report of AMD's",
    args: () => [...files.snp(), ...files.rims()],
    code: "evidence/kind-unsupported",
  },
  {
    kind: "nitro",
    name: "a debug enclave",
    args: () => [files.nitro({ debug: true })],
    code: "evidence/nitro-debug",
  },
  {
    kind: "nitro",
    name: "a document that is too old",
    args: () => [files.nitro(), "--max-age", "3598"],
    code: "evidence/nitro-age",
  },
  {
    kind: "gpu",
    name: "another nonce",
    args: () => [files.gpu(), "--report-data", `0x${"00".repeat(32)}`],
    code: "evidence/gpu-nonce",
  },
  {
    kind: "gpu",
    name: "a developer's firmware, by the manifests alone",
    args: () => [files.gpu({ devTools: true }), ...files.rims()],
    code: "evidence/gpu-measurements",
  },
  {
    kind: "gpu",
    name: "the manifest of another driver",
    args: () => [files.gpu(), ...files.rims("999.1")],
    code: "evidence/gpu-driver-rim",
  },
  {
    kind: "gpu",
    name: "one manifest of two",
    args: () => [files.gpu(), ...files.rims().slice(0, 2)],
    code: "cli/usage",
    exitCode: 1,
  },
  {
    kind: "gpu",
    name: "a revoked GPU",
    args: () => [files.gpu(), ...files.ocsp(gpuResponses("revoked"))],
    code: "evidence/gpu-revoked",
  },
  {
    kind: "gpu",
    name: "a revoked signer of manifests",
    args: () => [
      files.gpu(),
      ...files.rims(),
      ...files.ocsp([...gpuResponses(), ...rimResponses("revoked")]),
    ],
    code: "evidence/gpu-revoked",
  },
  {
    kind: "gpu",
    name: "manifests whose signer nobody answered for, where answers are given",
    args: () => [files.gpu(), ...files.rims(), ...files.ocsp(gpuResponses())],
    code: "evidence/gpu-revoked",
  },
  {
    kind: "gpu",
    name: "answers about certificates of nobody here",
    args: () => [files.gpu(), ...files.ocsp([...gpuResponses(), ...rimResponses()])],
    code: "evidence/ocsp-issuer",
  },
  {
    kind: "nras",
    name: "a token without the nonce that it was asked for with",
    args: () => [files.token()],
    code: "evidence/nonce-missing",
  },
  {
    kind: "nras",
    name: "devtools mode",
    args: () => [files.token({ devTools: true }), "--report-data", NONCE_HEX],
    code: "evidence/gpu-overall-result",
  },
  {
    kind: "nras",
    name: "a key set that is none",
    args: () => [files.token(), "--report-data", NONCE_HEX, "--nras-keys", files.json({ keys: [] })],
    code: "collateral/malformed",
    exitCode: 1,
  },
];

describe("charter verify of each kind", function () {
  this.timeout(120_000);
  const charter = new CharterThread();
  after(async () => {
    await charter.close();
    folder.remove();
  });

  /** All runs of the tables. */
  const runs = new Map<Accepted | Refused, Run>();
  before(async () => {
    for (const one of [...ACCEPTED, ...REFUSED]) {
      runs.set(one, await charter.run(["--json", "verify", ...judgedBy[one.kind](), ...one.args()]));
    }
  });

  for (const one of ACCEPTED) {
    const { kind, name, result, checks = [], said } = one;
    it(`accepts ${kind}: ${name}`, () => {
      const run = runs.get(one) as Run;
      expect(run.stderr).to.equal("");
      expect(run.exitCode).to.equal(0);
      const verdict = run.result<{ checks: { name: string; ok: boolean }[]; unchecked: string[] }>();
      expect(verdict).to.deep.include({ kind, simulated: true, ...result });
      expect(verdict.checks.map((check) => check.name)).to.include.members([...checks]);
      expect(verdict.checks.filter(({ ok }) => !ok)).to.deep.equal([]);
      if (said) expect(verdict.unchecked.filter((line) => said.test(line))).to.deep.equal([]);
    });
  }

  for (const one of REFUSED) {
    it(`refuses ${one.kind} with ${one.code}: ${one.name}`, () => {
      const run = runs.get(one) as Run;
      expect(run.error().code).to.equal(one.code);
      expect(run.exitCode).to.equal(one.exitCode ?? 3);
      expect(run.stdout).to.equal("");
    });
  }

  it("says in text what each kind leaves open, and explains every check with what it looked at", async () => {
    const evidence: Readonly<Record<Kind, () => string[]>> = {
      snp: () => files.snp(),
      nitro: () => [files.nitro()],
      gpu: () => [files.gpu()],
      nras: () => [files.token(), "--report-data", NONCE_HEX],
    };
    const kinds = Object.keys(evidence) as Kind[];
    const explained = await Promise.all(
      kinds.map((kind) => charter.run(["verify", "--explain", ...judgedBy[kind](), ...evidence[kind]()])),
    );
    for (const [i, { exitCode, stdout }] of explained.entries()) {
      expect(exitCode, kinds[i]).to.equal(0);
      expect(stdout).to.match(new RegExp(`^kind +${kinds[i] ?? ""}$`, "m"));
      expect(stdout).to.include("not said by this evidence:");
      const lines = stdout.split("\n");
      const passed = lines.filter((line) => line.startsWith("✓ "));
      const meanings = lines.filter((line) => /^ {4}[A-Z].*\. \(.+\)$/.test(line));
      expect(passed.length, kinds[i]).to.be.greaterThan(7);
      expect(meanings, kinds[i]).to.have.length(passed.length);
    }
  });

  it("explains the refusal of a manifest by the check that failed, after those that held", async () => {
    const args = [files.gpu({ altered: 4 }), ...files.rims(), "--explain"];
    const run = await charter.run(["verify", ...judgedBy.gpu(), ...args]);
    expect(run.exitCode).to.equal(3);
    expect(run.stderr).to.match(/✓ gpu-signature\n.*✗ gpu-measurements\n.*looked at .*"index":4/s);
  });
});
