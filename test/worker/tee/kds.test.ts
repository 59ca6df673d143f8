import { expect } from "chai";

import { nodeCrypto } from "../../../protocol/crypto/node.ts";
import { parseCrl } from "../../../protocol/der/crl.ts";
import { splitPem } from "../../../protocol/der/pem.ts";
import { verifySnp } from "../../../protocol/evidence/snp/verifySnp.ts";
import { createKds, type Kds } from "../../../worker/tee/simulator/snp/kds.ts";
import { AT, guest, pkiOf, REPORT_DATA, rootOf } from "../../protocol/evidence/snp/simulatedSnp.ts";

const LEVELS = "blSPL=1&teeSPL=1&snpSPL=4&ucodeSPL=75&fmcSPL=1";
const DAY = 86_400;

describe("the simulated key distribution service", function () {
  this.timeout(120_000);
  const world = { now: AT };
  let kds: Kds;
  let hwid: string;
  before(() => {
    kds = createKds({ pkis: [pkiOf("Turin")], machines: ["one"], now: () => world.now });
    hwid = Buffer.from(guest({}, pkiOf("Turin")).platform.chipId.subarray(0, 8)).toString("hex");
  });
  beforeEach(() => {
    world.now = AT;
  });
  const get = (url: string) => kds.server.inject({ url });
  const status = async (url: string): Promise<number> => (await get(url)).statusCode;

  it("serves all that a report is judged by, and a VCEK as it was issued first", async () => {
    const [chain, crl, leaf, again] = await Promise.all([
      get("/vcek/v1/Turin/cert_chain"),
      get("/vcek/v1/Turin/crl"),
      get(`/vcek/v1/Turin/${hwid}?${LEVELS}`),
      get(`/vcek/v1/Turin/${hwid.toUpperCase()}?${LEVELS}`),
    ]);
    expect(again.rawPayload.equals(leaf.rawPayload)).to.equal(true);
    const [ask, ark] = splitPem(chain.body) as [Uint8Array, Uint8Array];
    const { report } = guest({}, pkiOf("Turin")).attest(REPORT_DATA);
    const verified = await verifySnp(
      { report, certificates: { leaf: leaf.rawPayload, ask, ark } },
      { at: AT, crypto: nodeCrypto, roots: [rootOf(pkiOf("Turin"))], crls: [crl.rawPayload] },
    );
    expect(verified).to.include({ product: "Turin", revocation: "good" });
  });

  it("knows its own machines and products only, and no level that is none", async () => {
    expect(await status(`/vcek/v1/Turin/${"0".repeat(16)}?${LEVELS}`)).to.equal(404);
    expect(await status(`/vcek/v1/Milan/${"0".repeat(128)}`)).to.equal(404);
    expect(await status("/vcek/v1/Milan/crl")).to.equal(404);
    expect(await status("/vlek/v1/Milan/cert_chain")).to.equal(404);
    expect(await status(`/vlek/v1/Turin/${hwid}?${LEVELS}`)).to.equal(404);
    expect(await status(`/vcek/v1/Turin/${hwid.slice(2)}?${LEVELS}`)).to.equal(400);
    expect(await status(`/vcek/v1/Turin/${hwid}?blSPL=256`)).to.equal(400);
    expect(await status(`/vcek/v1/Turin/${hwid}?blSPL=1&blSPL=2`)).to.equal(400);
    expect(await status(`/vcek/v1/Turin/${hwid}?blSVN=1`)).to.equal(400);
    expect(await status(`/vcek/v1/Turin/${hwid}`)).to.equal(200);
  });

  it("signs its list again at half of its life", async () => {
    const issued = async () => parseCrl((await get("/vlek/v1/Turin/crl")).rawPayload).thisUpdate;
    expect(await issued()).to.equal(AT);
    world.now = AT + 15 * DAY - 1;
    expect(await issued()).to.equal(AT);
    world.now = AT + 15 * DAY;
    expect(await issued()).to.equal(AT + 15 * DAY);
  });
});
