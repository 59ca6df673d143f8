import { expect } from "chai";

import { itOnVectors, hasVectors, vector, vectorJson } from "../support/vectors.ts";
import { makeFolder } from "./support/folder.ts";
import { runCharter, type Run } from "./support/runCharter.ts";

const FOLDER = "tdx/dstack-2026-02";
const AT = "2026-02-18T11:58:51Z";
const COMPOSE_HASH = "0x3763bc34552cf3a27ff71ad5f7a90471562a1a2df552dfc1998cba2d60da27e7";
const PLATFORM_ID = "0xea0ba482106a22ecb76b59b95fed32b5cc3a81534b27ee01a25a10a87cca7d03";

interface Verified {
  readonly status: string;
  readonly composeHash: string;
  readonly platformId: string;
  readonly simulated: boolean;
  readonly checks: readonly { readonly name: string; readonly ok: boolean }[];
}

/** Where a field of the quote lies (Intel TDX DCAP Quote §A.3: header 48 bytes, TD report body 584). */
const OFFSET = { mrTd: 48 + 136, rtmr3: 48 + 472, reportData: 48 + 520, signature: 48 + 584 + 4 };

describe("charter verify", function () {
  this.timeout(60_000);
  const folder = makeFolder();
  after(() => folder.remove());
  const json = hasVectors ? (vectorJson(`${FOLDER}/quote-report.json`) as Record<string, unknown>) : {};
  const quote = Buffer.from(typeof json.quote === "string" ? json.quote : "", "hex");
  const report = folder.file("report.json", JSON.stringify(json));
  const collateral = folder.file("collateral.json", hasVectors ? vector(`${FOLDER}/collateral.json`) : "{}");
  const verify = (file: string, ...more: string[]): Promise<Run> =>
    runCharter(["verify", file, "--collateral", collateral, "--at", AT, ...more]);

  itOnVectors("prints verdict, measurements, compose hash, platform and every check by name", async () => {
    const run = await verify(report);
    expect(run.exitCode).to.equal(0);
    expect(run.stdout).to.match(/^status +UpToDate$/m);
    expect(run.stdout).to.match(new RegExp(`^composeHash +${COMPOSE_HASH}$`, "m"));
    expect(run.stdout).to.match(new RegExp(`^platformId +${PLATFORM_ID}$`, "m"));
    expect(run.stdout).to.match(/^rtmr3 +0x0f787c38/m);
    for (const name of ["root-pinned", "pck-signatures", "quote-signature", "platform-tcb", "rtmr-replay"]) {
      expect(run.stdout).to.include(`✓ ${name}\n`);
    }
    expect(run.stdout).to.not.include("✗");
  });

  itOnVectors("says the same in JSON", async () => {
    const verified = (await verify(report, "--json")).result<Verified>();
    expect(verified).to.include({ status: "UpToDate", composeHash: COMPOSE_HASH, simulated: false });
    expect(verified.checks.length).to.be.greaterThan(30);
    expect(verified.checks.every(({ ok }) => ok)).to.equal(true);
  });

  itOnVectors("prints dstack's boot info on request", async () => {
    const run = await verify(report, "--boot-info", "--json");
    expect(run.result<{ bootInfo: object }>().bootInfo).to.include({
      composeHash: COMPOSE_HASH,
      deviceId: PLATFORM_ID,
      osImageHash: "0x14ad42d0270b444eaeb53918a5a94d9b17eec7a817cd336173b17c5327541c67",
      mrAggregated: "0x233c659f83048505bb1ef7f105245aa80f5d04e3d096c329da272d7ee13fbf38",
      mrSystem: "0xe1ae776a1492d4f87937b7e563d265c16300be4aba5d748207587023bb7dbb75",
      tcbStatus: "UpToDate",
    });
  });

  itOnVectors("takes Charter's own evidence JSON, a raw quote and a quote in hex", async () => {
    const ours = { kind: "tdx", quote: json.quote, eventLog: json.event_log, vmConfig: json.vm_config };
    const files = [
      folder.file("ours.json", JSON.stringify(ours)),
      folder.file("quote.bin", quote),
      folder.file("quote.hex", `0x${quote.toString("hex")}\n`),
    ];
    const runs = await Promise.all(files.map((file) => verify(file, "--json")));
    expect(runs.map((run) => run.result<Verified>().status)).to.deep.equal(Array(3).fill("UpToDate"));
    expect(runs[0]?.result<Verified>().composeHash).to.equal(COMPOSE_HASH);
  });

  const flips: readonly (readonly [string, number, string])[] = [
    ["MRTD", OFFSET.mrTd, "quote-signature"],
    ["RTMR3", OFFSET.rtmr3, "quote-signature"],
    ["report data", OFFSET.reportData, "quote-signature"],
    ["the quote's signature", OFFSET.signature + 5, "quote-signature"],
    ["the attestation key", OFFSET.signature + 64 + 5, "qe-report-data"],
  ];
  for (const [what, offset, check] of flips) {
    itOnVectors(`fails with ${check} when one byte of ${what} is flipped`, async () => {
      const flipped = Buffer.from(quote);
      flipped[offset] = (flipped[offset] as number) ^ 1;
      const file = folder.file(`${offset}.json`, JSON.stringify({ ...json, quote: flipped.toString("hex") }));
      const run = await verify(file);
      expect(run.exitCode).to.equal(3);
      expect(run.stdout).to.equal("");
      expect(run.stderr).to.include(`✗ ${check}\n`).and.include(`(evidence/${check})`);
    });
  }

  itOnVectors("fails with rtmr-replay when the event log claims another compose hash", async () => {
    const log = String(json.event_log).replaceAll("3763bc34552cf3a2", "3763bc34552cf3a3");
    const run = await verify(folder.file("log.json", JSON.stringify({ ...json, event_log: log })), "--json");
    expect(run.exitCode).to.equal(3);
    expect(run.error().code).to.match(/^evidence\/(rtmr-replay|event-log)/);
  });

  itOnVectors("fails with validity once the collateral has expired", async () => {
    const args = ["--json", "verify", report, "--collateral", collateral, "--at", "2027-02-18T00:00:00Z"];
    const run = await runCharter(args);
    expect(run.exitCode).to.equal(3);
    expect(run.error()).to.include({ code: "evidence/validity" });
    expect(run.error().details.checks).to.deep.include({ name: "validity", ok: false });
  });

  itOnVectors("fails with a typed error on a cut quote and on collateral of another platform", async () => {
    const cut = folder.file("cut.bin", quote.subarray(0, 700));
    expect((await verify(cut)).exitCode).to.equal(3);
    const foreign = folder.file("foreign.json", vector("tdx/dcap-qvl-2025-06/collateral.json"));
    const run = await runCharter(["--json", "verify", report, "--collateral", foreign, "--at", AT]);
    expect(run.exitCode).to.equal(3);
    expect(run.error().code).to.match(/^evidence\//);
  });

  itOnVectors(
    "refuses a time that is none, boot info of a bare quote, and JSON of another kind",
    async () => {
      const file = folder.file("bare.bin", quote);
      const other = folder.file("other.json", "{}");
      const runs = await Promise.all([
        runCharter(["verify", report, "--collateral", collateral, "--at", "yesterday"]),
        verify(file, "--boot-info"),
        verify(other),
        runCharter(["verify", report, "--collateral", folder.file("no.json", "no")]),
      ]);
      expect(runs.map(({ exitCode }) => exitCode)).to.deep.equal([1, 1, 3, 1]);
    },
  );
});
