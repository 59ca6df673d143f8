import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";

import { gpuEvidenceDigest, parseGpuEvidence } from "../../../protocol/evidence/gpu/gpuEvidence.ts";
import type { Bytes32 } from "../../../protocol/words/hex.ts";
import { collectGpuEvidence } from "../../../worker/tee/nvidia/collectGpuEvidence.ts";
import { refusal } from "../../support/refusal.ts";

const NONCE = `0x${"5a".repeat(32)}` as Bytes32;
const base64 = (text: string) => Buffer.from(text).toString("base64");
const gpu = (nonce: string, report: string) => ({
  version: "1.0",
  arch: "HOPPER",
  nonce,
  vbios_version: "96.00.00.00.01",
  driver_version: "575.03",
  evidence: base64(report),
  certificate: base64("-----BEGIN CERTIFICATE-----"),
});

describe("NVIDIA's collector", () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "charter-nvattest-"));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  /** A program that notes how it was called and prints this. */
  const collector = (output: unknown, exit = 0): string => {
    const path = join(dir, "nvattest");
    writeFileSync(join(dir, "output"), typeof output === "string" ? output : JSON.stringify(output));
    writeFileSync(path, `#!/bin/sh\necho "$@" > ${dir}/called\ncat ${dir}/output\nexit ${exit}\n`);
    chmodSync(path, 0o700);
    return path;
  };
  const ok = (...evidences: unknown[]) => ({ evidences, result_code: 0, result_message: "Ok" });
  const own = NONCE.slice(2);

  it("is asked with our nonce, and its GPUs have the digest that the CPU's evidence must bind", async () => {
    const program = collector(ok(gpu(own, "one"), gpu(own, "two")));
    const { gpus, serialized, digest } = await collectGpuEvidence(NONCE, program);
    expect(gpus.map(({ report }) => Buffer.from(report).toString())).to.deep.equal(["one", "two"]);
    expect(digest).to.equal(gpuEvidenceDigest(parseGpuEvidence(serialized)));
    expect(readFileSync(join(dir, "called"), "utf8").trim()).to.equal(
      `--format json collect-evidence --device gpu --nonce ${own}`,
    );
  });

  it("is refused when one GPU of several answers another nonce", async () => {
    const program = collector(ok(gpu(own, "one"), gpu("00".repeat(32), "old")));
    expect(await refusal(collectGpuEvidence(NONCE, program))).to.equal("gpu/nonce-mismatch");
  });

  it("is refused when it has no GPU, fails, says so, or is not there", async () => {
    expect(await refusal(collectGpuEvidence(NONCE, collector(ok())))).to.equal("gpu/evidence-malformed");
    const good = ok(gpu(own, "one"));
    expect(await refusal(collectGpuEvidence(NONCE, collector(good, 1)))).to.equal("gpu/collector-failed");
    const said = { ...good, result_code: 5, result_message: "no driver" };
    expect(await refusal(collectGpuEvidence(NONCE, collector(said)))).to.equal("gpu/collector-failed");
    expect(await refusal(collectGpuEvidence(NONCE, collector({ more: 1 })))).to.equal("gpu/collector-failed");
    expect(await refusal(collectGpuEvidence(NONCE, join(dir, "none")))).to.equal("gpu/collector-failed");
  });
});
