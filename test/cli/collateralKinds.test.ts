import { expect } from "chai";

import { gpuResponses } from "../protocol/evidence/gpu/simulatedOcsp.ts";
import * as gpu from "../protocol/evidence/gpu/simulatedGpu.ts";
import * as nitro from "../protocol/evidence/nitro/simulatedNitro.ts";
import * as snp from "../protocol/evidence/snp/simulatedSnp.ts";
import { CharterThread } from "./support/CharterThread.ts";
import { AT, EvidenceFiles } from "./support/evidenceFiles.ts";
import { makeFolder } from "./support/folder.ts";

interface Seen {
  readonly kind: string;
  readonly platformId: string | null;
  readonly now: { readonly status: string | null; readonly refusedBy: string | null };
  readonly next: { readonly status: string | null; readonly refusedBy: string | null } | null;
  readonly endings: readonly { readonly what: string; readonly at: number }[];
  readonly trouble: readonly string[];
}

const DAY = 86_400;
const iso = (seconds: number): string => new Date(seconds * 1000).toISOString();

describe("charter collateral check of each kind", function () {
  this.timeout(60_000);
  const folder = makeFolder();
  const files = new EvidenceFiles(folder);
  const charter = new CharterThread();
  after(async () => {
    await charter.close();
    folder.remove();
  });

  const check = async (kind: keyof typeof AT, args: readonly string[], at = AT[kind]) => {
    const run = await charter.run([
      "--json",
      "collateral",
      "check",
      ...args,
      ...files.root(kind),
      "--at",
      at,
    ]);
    expect(run.stderr).to.equal("");
    return { exitCode: run.exitCode, ...(run.result<{ platforms: Seen[] }>().platforms[0] as Seen) };
  };
  const whats = ({ endings }: Pick<Seen, "endings">): string[] => endings.map(({ what }) => what);
  const floors = (version: number): string =>
    files.json({ Milan: { bootloader: 4, tee: 0, snp: version, microcode: 219 } });

  it("snp_nothingEnds_holdsAndListsCertificates", async () => {
    const seen = await check("snp", files.snp());
    expect(seen).to.deep.include({ exitCode: 0, kind: "snp", next: null, trouble: [] });
    expect(seen.now).to.deep.equal({ status: "UpToDate", refusedBy: null });
    expect(seen.platformId).to.match(/^0x[0-9a-f]{64}$/);
    expect(whats(seen)).to.have.members(["VCEK or VLEK certificate", "ASK certificate", "ARK certificate"]);
  });

  it("snp_listEndsWithinTheDays_namesIt", async () => {
    const seen = await check("snp", [...files.snp(), ...files.amdCrl(), "--days", "2"]);
    expect(seen.exitCode).to.equal(3);
    expect(seen.trouble).to.deep.equal([`AMD's revocation list ends ${iso(snp.AT + DAY).slice(0, 19)}Z`]);
  });

  it("snp_higherFloorsToCome_saysOutOfDate", async () => {
    const args = ["--amd-minimum-tcb", floors(24), "--amd-next-minimum-tcb", floors(25)];
    const seen = await check("snp", [...files.snp(), ...args]);
    expect(seen).to.deep.include({ exitCode: 3, trouble: ["OutOfDate under the next set"] });
    expect(seen.now.status).to.equal("UpToDate");
  });

  it("snp_debug_isRefusedToday", async () => {
    const seen = await check("snp", files.snp({ debug: true }));
    expect(seen).to.deep.include({ exitCode: 3, platformId: null });
    expect(seen.trouble).to.deep.equal(["refused today: snp-debug"]);
  });

  it("nitro_documentsCertificateEndsWithinHours_namesIt", async () => {
    const quiet = await check("nitro", [files.nitro(), "--days", "0"]);
    expect(quiet).to.deep.include({ exitCode: 0, kind: "nitro", platformId: null, next: null, trouble: [] });
    expect(quiet.now).to.deep.equal({ status: null, refusedBy: null });
    const seen = await check("nitro", [files.nitro(), "--days", "1"]);
    expect(seen.exitCode).to.equal(3);
    expect(seen.trouble[0]).to.match(/^document's certificate ends /);
    expect(whats(seen)).to.include.members(["CA certificate", "root certificate"]);
  });

  it("nitro_afterItsCertificate_isRefusedToday", async () => {
    const seen = await check("nitro", [files.nitro()], iso(nitro.FROM + DAY));
    expect(seen.now.refusedBy).to.equal("validity");
    expect(seen.trouble).to.include("refused today: validity");
  });

  it("gpu_manifestsAndAnswersGiven_listsThemAndNamesWhatEnds", async () => {
    const given = [files.gpu(), ...files.rims(), "--days", "2"];
    const quiet = await check("gpu", given);
    expect(quiet).to.deep.include({ exitCode: 0, kind: "gpu", platformId: null, next: null, trouble: [] });
    expect(whats(quiet)).to.include.members([
      "GPU certificate",
      "NVIDIA's root certificate",
      "GPU driver manifest",
      "GPU VBIOS manifest",
    ]);
    const answered = await check("gpu", [files.gpu(), ...files.ocsp(gpuResponses()), "--days", "2"]);
    expect(answered.exitCode).to.equal(3);
    expect(answered.trouble).to.deep.equal(
      Array<string>(3).fill(`OCSP answer ends ${iso(gpu.AT + DAY).slice(0, 19)}Z`),
    );
  });

  it("gpu_revoked_isRefusedToday", async () => {
    const seen = await check("gpu", [files.gpu(), ...files.ocsp(gpuResponses("revoked")), "--days", "0"]);
    expect(seen).to.deep.include({ exitCode: 3, trouble: ["refused today: gpu-revoked"] });
  });

  it("text_noStatusOfAVendor_saysThatItHolds", async () => {
    const args = ["collateral", "check", files.gpu(), ...files.root("gpu"), "--at", AT.gpu];
    expect((await charter.run(args)).stdout).to.match(/ gpu +unknown +holds +not given .* none$/m);
  });

  it("token_andQuoteWithoutCollateral_areWrongUsage", async () => {
    for (const file of [files.token(), files.file("quote.bin", Buffer.from([4, 0, 2, 0, 0x81]))]) {
      const run = await charter.run(["--json", "collateral", "check", file]);
      expect(run.exitCode).to.equal(1);
      expect(run.error().code).to.equal("cli/usage");
    }
  });
});
