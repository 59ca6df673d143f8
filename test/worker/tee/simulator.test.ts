import { createHash, verify, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";

import { parseCrl } from "../../../protocol/der/crl.ts";
import { toHex } from "../../../protocol/words/hex.ts";
import { issueCollateral } from "../../../worker/tee/simulator/collateral.ts";
import { BOOT_EVENTS, bootRegisters, eventDigest } from "../../../worker/tee/simulator/measurements.ts";
import { createPcs } from "../../../worker/tee/simulator/pcs.ts";
import { createTestPki, loadOrCreateTestPki, SIMULATED_FMSPC } from "../../../worker/tee/simulator/pki.ts";
import { simulatedPlatform } from "../../../worker/tee/simulator/platform.ts";
import { SimulatedTdx } from "../../../worker/tee/simulator/SimulatedTdx.ts";
import { refusal } from "../../support/refusal.ts";

const at = 1_800_000_000;

describe("the simulator's PKI", () => {
  it("chains PCK certificate, Platform CA and root, as node:crypto sees it", () => {
    const pki = createTestPki();
    const [leaf, ca, root] = simulatedPlatform(pki, { name: "one" })
      .pckChain.split(/(?<=-----END CERTIFICATE-----\n)/)
      .map((pem) => new X509Certificate(pem));
    if (!leaf || !ca || !root) throw new Error("three certificates expected");
    expect(leaf.verify(ca.publicKey)).to.equal(true);
    expect(ca.verify(root.publicKey)).to.equal(true);
    expect(root.verify(root.publicKey)).to.equal(true);
    expect(leaf.checkIssued(ca)).to.equal(true);
    expect(leaf.ca).to.equal(false);
    expect(ca.ca).to.equal(true);
  });

  it("lists a revoked certificate on a CRL that the strict reader reads and the CA has signed", () => {
    const pki = createTestPki();
    const { pckSerial } = simulatedPlatform(pki, { name: "one" });
    const { pck_crl } = issueCollateral(pki, { at, revokedPcks: [pckSerial] });
    const { tbs, signature, revoked, thisUpdate, nextUpdate } = parseCrl(Buffer.from(pck_crl, "hex"));
    expect([...revoked]).to.deep.equal([toHex(pckSerial)]);
    expect([thisUpdate, nextUpdate]).to.deep.equal([at, at + 30 * 86_400]);
    const key = new X509Certificate(pki.file.platformCa).publicKey;
    expect(verify("sha256", tbs, { key, dsaEncoding: "ieee-p1363" }, signature)).to.equal(true);
  });

  it("is made once per directory, with its keys readable by their owner only", () => {
    const dir = mkdtempSync(join(tmpdir(), "charter-simulator-"));
    try {
      const first = loadOrCreateTestPki(dir);
      const second = loadOrCreateTestPki(dir);
      expect(second.file).to.deep.equal(first.file);
      expect(statSync(join(dir, "pki.json")).mode & 0o777).to.equal(0o600);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it("gives one machine per name", () => {
    const pki = createTestPki();
    const id = (name: string) => simulatedPlatform(pki, { name }).platformId;
    expect(id("one")).to.equal(id("one"));
    expect(id("one")).not.to.equal(id("two"));
  });
});

describe("a simulated TD", () => {
  it("logs boot events whose digests replay to its registers", () => {
    const registers = [0, 1, 2, 3].map(() => Buffer.alloc(48));
    for (const { imr, digest } of BOOT_EVENTS) {
      registers[imr] = createHash("sha384")
        .update(registers[imr] as Buffer)
        .update(digest, "hex")
        .digest();
    }
    expect(registers).to.deep.equal(bootRegisters());
  });

  it("digests runtime events as dstack does (dstack-2026-02, event app-id)", () => {
    expect(
      eventDigest("app-id", Buffer.from("3763bc34552cf3a27ff71ad5f7a90471562a1a2d", "hex")).toString("hex"),
    ).to.equal(
      "837c2dd72f8a4c740159e5e042ed79b7eaaa5ab3a151a45e27bc366bb8b27e6c3faec87aab1e95197d3e6d23308d448c",
    );
  });

  it("refuses report data that has not 64 bytes", async () => {
    const tdx = new SimulatedTdx(simulatedPlatform(createTestPki(), { name: "one" }));
    expect(await refusal(tdx.quote(new Uint8Array(63)))).to.equal("tee/report-data-length");
  });
});

describe("the simulator's collateral service", () => {
  const pki = createTestPki();

  it("answers under Intel's URLs, headers and bodies", async () => {
    const { server } = createPcs({ pki, now: () => at });
    const tcb = await server.inject(`/tdx/certification/v4/tcb?fmspc=${SIMULATED_FMSPC}`);
    expect(tcb.body).to.match(/^\{"tcbInfo":\{"id":"TDX","version":3,.*\},"signature":"[0-9a-f]{128}"\}$/);
    expect(decodeURIComponent(String(tcb.headers["tcb-info-issuer-chain"]))).to.equal(pki.signingChain);
    const qe = await server.inject("/tdx/certification/v4/qe/identity");
    expect(qe.body).to.match(/^\{"enclaveIdentity":\{"id":"TD_QE",.*\},"signature":"[0-9a-f]{128}"\}$/);
    expect(decodeURIComponent(String(qe.headers["sgx-enclave-identity-issuer-chain"]))).to.equal(
      pki.signingChain,
    );
    const crl = await server.inject("/sgx/certification/v4/pckcrl?ca=platform&encoding=der");
    expect(crl.rawPayload[0]).to.equal(0x30);
    expect(decodeURIComponent(String(crl.headers["sgx-pck-crl-issuer-chain"]))).to.equal(pki.pckIssuerChain);
    expect((await server.inject("/sgx/certification/v4/rootcacrl")).body).to.match(/^30[0-9a-f]+$/);
  });

  it("knows its own platform family only", async () => {
    const { server } = createPcs({ pki, now: () => at });
    expect((await server.inject("/tdx/certification/v4/tcb?fmspc=90C06F000000")).statusCode).to.equal(404);
    expect((await server.inject("/tdx/certification/v4/tcb?fmspc=nonsense")).statusCode).to.equal(400);
    expect(
      (await server.inject("/sgx/certification/v4/pckcrl?ca=processor&encoding=der")).statusCode,
    ).to.equal(400);
  });

  it("lists a revoked platform as soon as it issues anew", async () => {
    const revoked: Uint8Array[] = [];
    const { server, reissue } = createPcs({ pki, now: () => at, revokedPcks: () => revoked });
    const listed = async () => {
      const { rawPayload } = await server.inject("/sgx/certification/v4/pckcrl?ca=platform&encoding=der");
      return [...parseCrl(rawPayload).revoked];
    };
    expect(await listed()).to.deep.equal([]);
    const { pckSerial } = simulatedPlatform(pki, { name: "one" });
    revoked.push(pckSerial);
    expect(await listed()).to.deep.equal([]);
    reissue();
    expect(await listed()).to.deep.equal([toHex(pckSerial)]);
  });

  it("signs again at half of the collateral's life, and never serves anything expired", async () => {
    let now = at;
    const { server } = createPcs({ pki, now: () => now, validitySeconds: 1000 });
    const nextUpdate = async () => {
      const { body } = await server.inject("/tdx/certification/v4/qe/identity");
      return (JSON.parse(body) as { enclaveIdentity: { nextUpdate: string } }).enclaveIdentity.nextUpdate;
    };
    const first = await nextUpdate();
    now = at + 499;
    expect(await nextUpdate()).to.equal(first);
    now = at + 500;
    expect(Date.parse(await nextUpdate())).to.equal((at + 1500) * 1000);
  });
});
