import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";

import { bestSource, detectSources } from "../../../worker/tee/detectSources.ts";
import type { Places } from "../../../worker/tee/places.ts";
import { refusalOf } from "../../support/refusal.ts";

describe("looking for sources of evidence", () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "charter-detect-"));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  const places = (): Places => ({
    dstackSockets: [join(dir, "none"), join(dir, "dstack.sock")],
    tsmRoot: join(dir, "tsm"),
    tdxDevice: join(dir, "tdx_guest"),
    snpDevice: join(dir, "sev-guest"),
    nsmDevice: join(dir, "nsm"),
    nvidiaDevices: join(dir, "gpus"),
  });
  const make = (name: string) => writeFileSync(join(dir, name), "");
  const best = async () => bestSource(await detectSources(places())).name;

  it("prefers dstack's agent, then what the kernel offers", async () => {
    mkdirSync(join(dir, "tsm"));
    make("sev-guest");
    expect(await best()).to.equal("tsm-snp");
    make("tdx_guest");
    expect(await best()).to.equal("tsm-tdx");
    make("dstack.sock");
    expect(await best()).to.equal("dstack");
  });

  it("takes no device for a source where the kernel shows no reports", async () => {
    make("tdx_guest");
    make("sev-guest");
    expect(refusalOf(() => bestSource([]))).to.equal("tee/no-source");
    const detected = await detectSources(places());
    expect(refusalOf(() => bestSource(detected))).to.equal("tee/no-source");
  });

  it("says that AWS NSM and a GPU are here, and uses neither as the CPU's source", async () => {
    make("nsm");
    mkdirSync(join(dir, "gpus/0000:01:00.0"), { recursive: true });
    const detected = await detectSources(places());
    expect(detected.filter(({ at }) => at !== null).map(({ name }) => name)).to.deep.equal([
      "nitro",
      "nvidia",
    ]);
    expect(refusalOf(() => bestSource(detected))).to.equal("tee/nsm-unsupported");
  });
});
