import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";

import { nodeCrypto } from "../../../protocol/crypto/node.ts";
import { testRootFromPem } from "../../../protocol/evidence/chain/roots.ts";
import { evidenceDigest } from "../../../protocol/evidence/facts/evidenceDigest.ts";
import { snpFacts, snpParts } from "../../../protocol/evidence/facts/snpFacts.ts";
import { parseGpuEvidence } from "../../../protocol/evidence/gpu/gpuEvidence.ts";
import { verifyGpu } from "../../../protocol/evidence/gpu/verifyGpu.ts";
import { quoteBytes } from "../../../protocol/evidence/index.ts";
import { verifyNitro } from "../../../protocol/evidence/nitro/verifyNitro.ts";
import { certificatesOfTable } from "../../../protocol/evidence/snp/certificateTable.ts";
import { SNP_REPORT_BYTES } from "../../../protocol/evidence/snp/parseReport.ts";
import { verifySnp } from "../../../protocol/evidence/snp/verifySnp.ts";
import type { ChainInfo } from "../../../protocol/session/messages.ts";
import type { Address, Bytes32, ComposeHash } from "../../../protocol/words/hex.ts";
import { gatherEvidence } from "../../../worker/session/gatherEvidence.ts";
import { measureBoot } from "../../../worker/tee/measureBoot.ts";
import { openSource, type SimulatedTee } from "../../../worker/tee/openSource.ts";
import { requirePlatform } from "../../../worker/tee/requirePlatform.ts";
import { loadOrCreateAmdPki } from "../../../worker/tee/simulator/snp/amdPkiFile.ts";
import { loadOrCreateTestPki } from "../../../worker/tee/simulator/pki.ts";
import { simulatedPlatform } from "../../../worker/tee/simulator/platform.ts";
import { gpuPkiOf, nitroPkiOf } from "../../../worker/tee/simulator/vendorPkis.ts";
import { amdKeys } from "../../protocol/evidence/snp/simulatedSnp.ts";
import { refusal } from "../../support/refusal.ts";

const app = `0x${"11".repeat(20)}` as Address;
const key = `0x${"22".repeat(20)}` as Address;
const composeHash = `0x${"33".repeat(32)}` as ComposeHash;
const zero = { app: `0x${"00".repeat(20)}` as Address, composeHash: `0x${"00".repeat(32)}` as ComposeHash };
const chain = {
  chainId: 31_337,
  ledger: app,
  nodeRegistry: app,
  finalized: { number: 7, hash: `0x${"44".repeat(32)}` as Bytes32, timestamp: 1 },
} as ChainInfo;
const now = (): number => Math.floor(Date.now() / 1_000);

describe("opening simulated machines of every kind", function () {
  this.timeout(60_000);
  let dir: string;
  before(() => {
    dir = mkdtempSync(join(tmpdir(), "charter-kinds-"));
    loadOrCreateTestPki(dir);
    loadOrCreateAmdPki(dir, { notBefore: now() - 86_400, keys: amdKeys() });
  });
  after(() => rmSync(dir, { recursive: true }));

  const open = (tee: SimulatedTee, boot?: Parameters<typeof openSource>[2], gpu = false) =>
    openSource({ simulatorDir: dir, platform: "one", tee, gpu }, 31_337, boot);
  const gather = (source: ReturnType<typeof open>) =>
    gatherEvidence(source, chain, { purpose: "instance", subject: app, key });
  const pki = () => loadOrCreateTestPki(dir);

  it("gives an enclave and a TD of one machine one platform", async () => {
    const expected = simulatedPlatform(pki(), { name: "one" }).platformId;
    expect([open("sgx").platformId, open("tdx").platformId]).to.deep.equal([expected, expected]);
    const { evidence, evidenceDigest: digest } = await gather(open("sgx"));
    expect(evidence).to.include({ kind: "sgx", eventLog: "[]", vmConfig: "{}" });
    expect(digest).to.equal(evidenceDigest(evidence));
  });

  it("boots no app in an enclave", async () => {
    for (const tee of ["sgx", "nitro"] as const) {
      const boot = measureBoot(open(tee), { app, composeHash, instanceId: "0x" });
      expect(await refusal(boot)).to.equal("tee/boot-mismatch");
      await measureBoot(open(tee), { ...zero, instanceId: "0x" });
    }
  });

  it("launches an SNP guest for one app, whose report says so", async () => {
    const source = open("snp", { app, composeHash });
    await measureBoot(source, { app, composeHash, instanceId: "0x" });
    const { evidence, evidenceDigest: digest } = await gather(source);
    const parts = snpParts(evidence);
    const table = parts.reportAndTable.subarray(SNP_REPORT_BYTES);
    const root = loadOrCreateAmdPki(dir, { notBefore: 0 }).root;
    const verified = await verifySnp(
      {
        report: parts.reportAndTable.subarray(0, SNP_REPORT_BYTES),
        certificates: certificatesOfTable(table, "VCEK"),
        mrConfig: parts.mrConfig as string,
      },
      { at: now(), crypto: nodeCrypto, roots: [testRootFromPem(root)] },
    );
    expect(snpFacts(verified, parts)).to.include({
      composeHash,
      launchedFor: app,
      evidenceDigest: digest,
      platformId: source.platformId,
    });
  });

  it("makes an enclave's document of now, which names no machine", async () => {
    const source = open("nitro");
    expect(await refusal(Promise.resolve().then(() => requirePlatform(source)))).to.equal("tee/no-platform");
    const { evidence } = await gather(source);
    const roots = [testRootFromPem(nitroPkiOf(pki(), now()).root)];
    const verified = await verifyNitro(quoteBytes(evidence.quote), { at: now(), crypto: nodeCrypto, roots });
    expect(verified.document.userData).to.have.length(64);
  });

  it("asks the GPU first, and binds its answer into the CPU's evidence", async () => {
    const asked: Uint8Array[] = [];
    const source = open("tdx", undefined, true);
    const quote = source.quote.bind(source);
    const { evidence } = await gather({ ...source, quote: (data) => (asked.push(data), quote(data)) });
    const [gpu] = parseGpuEvidence(evidence.gpu as string);
    const data = Buffer.from(asked[0] as Uint8Array).toString("hex");
    expect(gpu?.nonce).to.equal(`0x${data.slice(0, 64)}`);
    const collected = await source.gpus?.(gpu?.nonce as Bytes32);
    expect(collected?.gpus).to.have.length(1);
    expect(data.slice(64)).not.to.equal("0".repeat(64));
    const roots = [testRootFromPem(gpuPkiOf(pki()).root)];
    const options = { at: now(), crypto: nodeCrypto, roots, nonce: gpu?.nonce as Bytes32 };
    expect(await verifyGpu(gpu as NonNullable<typeof gpu>, options)).to.include({ arch: "HOPPER" });
  });

  it("refuses each on any chain but a development one", () => {
    for (const tee of ["tdx", "sgx", "snp", "nitro"] as const) {
      expect(() => openSource({ simulatorDir: dir, platform: "one", tee }, 1))
        .to.throw()
        .with.property("code", "tee/simulator-refused");
    }
  });
});
