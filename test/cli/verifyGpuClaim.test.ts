import { expect } from "chai";

import { gpuEvidenceDigest, nrasTokenDigest } from "../../protocol/evidence/gpu/gpuEvidence.ts";
import { concatBytes } from "../../protocol/words/bytes.ts";
import { fromHex, parseBytes32, type Bytes32 } from "../../protocol/words/hex.ts";
import { makeEat } from "../../worker/tee/simulator/gpu/eat.ts";
import { SimulatedGpu } from "../../worker/tee/simulator/gpu/SimulatedGpu.ts";
import { SimulatedTdx } from "../../worker/tee/simulator/SimulatedTdx.ts";
import { gpuResponses, rimResponses } from "../protocol/evidence/gpu/simulatedOcsp.ts";
import * as gpu from "../protocol/evidence/gpu/simulatedGpu.ts";
import { issued, pki, platform } from "../protocol/evidence/simulated.ts";
import { EvidenceFiles } from "./support/evidenceFiles.ts";
import { makeFolder } from "./support/folder.ts";
import { runCharter, type Run } from "./support/runCharter.ts";

interface Claimed {
  readonly kind: string;
  readonly gpuClaim: {
    readonly boundBy: string;
    readonly judgedBy: string;
    readonly complete: boolean;
    readonly unchecked: readonly string[];
    readonly checks: readonly { readonly name: string }[];
  };
}

/** A guest asks the GPU first, with what will be the first half of its report data. */
const bound = (digest: Bytes32): Uint8Array => concatBytes(gpu.NONCE, fromHex(digest));

describe("charter verify of a quote whose guest vouches for GPUs", function () {
  this.timeout(60_000);
  const folder = makeFolder();
  after(() => folder.remove());
  const files = new EvidenceFiles(folder);
  const evidence = gpu.gpu.attest(gpu.NONCE);
  const reports = files.file("gpu.json", SimulatedGpu.serialize([evidence]));
  const token = makeEat(gpu.pki, { nonce: gpu.NONCE, at: gpu.AT });
  const roots = [...files.root("gpu"), "--root", files.file("intel.pem", pki.file.root)];
  const collateral = files.json(issued());
  const quoteOver = async (data: Uint8Array): Promise<string> =>
    files.file("quote.hex", (await new SimulatedTdx(platform).quote(data)).quote);
  const verify = (file: string, ...more: string[]): Promise<Run> => {
    const at = new Date((gpu.AT + 1) * 1000).toISOString();
    return runCharter(["verify", file, "--collateral", collateral, "--at", at, ...roots, ...more]);
  };

  it("gives a second claim of its own, with its weaker binding named, in text and in JSON", async () => {
    const quote = await quoteOver(bound(gpuEvidenceDigest([evidence])));
    const [json, text, alone] = await Promise.all([
      verify(quote, "--gpu", reports, "--json"),
      verify(quote, "--gpu", reports),
      verify(quote, "--json"),
    ]);
    expect(json.exitCode).to.equal(0);
    const { kind, gpuClaim } = json.result<Claimed>();
    expect(kind).to.equal("tdx");
    expect(gpuClaim).to.include({ boundBy: "guest", judgedBy: "charter", complete: false });
    expect(gpuClaim.unchecked[0]).to.match(/bus.*no hardware does/);
    expect(gpuClaim.unchecked).to.have.length(3);
    const names = gpuClaim.checks.map(({ name }) => name);
    expect(names).to.include.members(["gpu-signature", "gpu-nonce", "gpu-distinct", "gpu-binding-digest"]);
    expect(text.stdout).to.match(/^a claim of its own, weaker than the verdict above: GPUs$/m);
    expect(text.stdout).to.match(/^boundBy +guest: the measured guest vouches/m);
    expect(text.stdout).to.match(/^gpu 0 +GH100 A01 GSP BROM, \d+, 590\.12/m);
    expect(text.stdout.indexOf("✓ quote-signature")).to.be.lessThan(text.stdout.indexOf("✓ gpu-signature"));
    // A quote alone never says anything of a GPU, whatever its report data.
    expect(alone.result()).not.to.have.property("gpuClaim");
  });

  it("gives a complete claim with manifests and revocation, and one by NVIDIA's token", async () => {
    const [overReports, overToken] = await Promise.all([
      quoteOver(bound(gpuEvidenceDigest([evidence]))),
      quoteOver(bound(nrasTokenDigest(token))),
    ]);
    const judged = [...files.rims(), ...files.ocsp([...gpuResponses(), ...rimResponses()])];
    const [complete, byService] = await Promise.all([
      verify(overReports, "--gpu", reports, ...judged, "--json"),
      verify(overToken, "--nras", files.file("token.json", token), ...files.nrasKeys(), "--json"),
    ]);
    expect(complete.result<Claimed>().gpuClaim).to.include({ judgedBy: "charter", complete: true });
    expect(complete.result<Claimed>().gpuClaim.unchecked).to.have.length(1);
    expect(byService.result<Claimed>().gpuClaim).to.include({ judgedBy: "nras", complete: true });
  });

  it("is refused where the guest put another digest or asked with another nonce, and for other files", async () => {
    const [other, unasked, good] = await Promise.all([
      quoteOver(bound(parseBytes32(`0x${"11".repeat(32)}`))),
      quoteOver(new Uint8Array(64)),
      quoteOver(bound(gpuEvidenceDigest([evidence]))),
    ]);
    const runs = await Promise.all([
      verify(other, "--gpu", reports, "--json"),
      verify(unasked, "--gpu", reports, "--json"),
      verify(good, "--gpu", good, "--json"),
      verify(good, "--nras", reports, "--json"),
      verify(good, "--nras", files.file("token.json", token), "--json"),
      verify(reports, "--gpu", reports, "--json"),
    ]);
    expect(runs.map((run) => [run.error().code, run.exitCode])).to.deep.equal([
      ["evidence/gpu-binding-digest", 3],
      ["evidence/gpu-nonce", 3],
      ["cli/usage", 1],
      ["cli/usage", 1],
      ["evidence/collateral-missing", 3],
      ["evidence/gpu-binding-nonce", 3],
    ]);
    expect(runs.every(({ stdout }) => stdout === "")).to.equal(true);
  });
});
