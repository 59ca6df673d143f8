import { expect } from "chai";

import { PcsClient } from "../../../relayer/evidence/pcsClient.ts";
import { refusal } from "../../support/refusal.ts";

const PEM = "-----BEGIN CERTIFICATE-----\nMIIB+/==\n-----END CERTIFICATE-----\n";
const SIGNATURE = "ab".repeat(64);
const DER = Uint8Array.from([0x30, 0x82, 0x01, 0x00, 0xff]);

type Answers = Record<string, () => Response>;

const answers = (): Answers => ({
  "/sgx/certification/v4/rootcacrl": () => new Response(DER),
  "/sgx/certification/v4/pckcrl?ca=platform&encoding=der": () =>
    new Response(DER, { headers: { "SGX-PCK-CRL-Issuer-Chain": encodeURIComponent(PEM) } }),
  "/tdx/certification/v4/tcb?fmspc=90C06F000000": () =>
    new Response(`{"tcbInfo":{"id":"TDX", "x":[1 ,2]},"signature":"${SIGNATURE}"}`, {
      headers: { "TCB-Info-Issuer-Chain": encodeURIComponent(PEM) },
    }),
  "/tdx/certification/v4/qe/identity": () =>
    new Response(`{"enclaveIdentity":{"id":"TD_QE"},"signature":"${SIGNATURE}"}`, {
      headers: { "SGX-Enclave-Identity-Issuer-Chain": encodeURIComponent(PEM) },
    }),
});

/** A service that answers from a table; what it does not know is a 404. */
const client = (table: Answers): PcsClient =>
  new PcsClient({
    url: "http://pcs.test/",
    fetch: (input) =>
      Promise.resolve((table[(input as string).replace("http://pcs.test", "")] ?? notFound)()),
  });
const notFound = () => new Response("", { status: 404 });

describe("PcsClient", () => {
  it("gives the vendor's own bytes, decoded chains and CRLs in hex", async () => {
    const collateral = await client(answers()).collateral({
      tee: "tdx",
      fmspc: "90c06f000000",
      ca: "platform",
    });
    expect(collateral.tcb_info).to.equal('{"id":"TDX", "x":[1 ,2]}');
    expect(collateral.qe_identity).to.equal('{"id":"TD_QE"}');
    expect(collateral.tcb_info_signature).to.equal(SIGNATURE);
    expect(collateral.tcb_info_issuer_chain).to.equal(PEM);
    expect(collateral.pck_crl).to.equal("30820100ff");
    expect(collateral.root_ca_crl).to.equal("30820100ff");
  });

  it("takes a root CRL that a PCCS answers in hex", async () => {
    const table = { ...answers(), "/sgx/certification/v4/rootcacrl": () => new Response("3082AB00") };
    expect(
      (await client(table).collateral({ tee: "tdx", fmspc: "90c06f000000", ca: "platform" })).root_ca_crl,
    ).to.equal("3082ab00");
  });

  it("refuses by name when the service refuses", async () => {
    const table = { ...answers(), "/tdx/certification/v4/qe/identity": notFound };
    expect(
      await refusal(client(table).collateral({ tee: "tdx", fmspc: "90c06f000000", ca: "platform" })),
    ).to.equal("collateral/refused");
  });

  it("refuses by name when nobody answers", async () => {
    const gone = new PcsClient({
      url: "http://pcs.test",
      fetch: () => Promise.reject(new TypeError("fetch failed")),
    });
    expect(await refusal(gone.collateral({ tee: "tdx", fmspc: "90c06f000000", ca: "platform" }))).to.equal(
      "collateral/unreachable",
    );
  });

  const malformed: Record<string, [string, () => Response]> = {
    "a missing issuer chain": [
      "/sgx/certification/v4/pckcrl?ca=platform&encoding=der",
      () => new Response(DER),
    ],
    "a chain that is not percent-encoded": [
      "/sgx/certification/v4/pckcrl?ca=platform&encoding=der",
      () => new Response(DER, { headers: { "SGX-PCK-CRL-Issuer-Chain": "%zz" } }),
    ],
    "a CRL that is a page": ["/sgx/certification/v4/rootcacrl", () => new Response("<html>")],
    "a body with another order": [
      "/tdx/certification/v4/qe/identity",
      () => new Response(`{"signature":"${SIGNATURE}","enclaveIdentity":{}}`),
    ],
    "a signature of another length": [
      "/tdx/certification/v4/qe/identity",
      () => new Response('{"enclaveIdentity":{},"signature":"ab"}'),
    ],
  };
  for (const [what, [path, answer]] of Object.entries(malformed)) {
    it(`refuses ${what}`, async () => {
      const table = { ...answers(), [path]: answer };
      expect(
        await refusal(client(table).collateral({ tee: "tdx", fmspc: "90c06f000000", ca: "platform" })),
      ).to.equal("collateral/malformed");
    });
  }

  it("refuses an answer above 1 MiB", async () => {
    const table = {
      ...answers(),
      "/sgx/certification/v4/rootcacrl": () => new Response(new Uint8Array(1_048_577)),
    };
    expect(
      await refusal(client(table).collateral({ tee: "tdx", fmspc: "90c06f000000", ca: "platform" })),
    ).to.equal("collateral/too-large");
  });
});
