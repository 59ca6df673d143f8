import { generateKeyPairSync } from "node:crypto";

import { parseCertificate } from "../../../protocol/der/certificate.ts";
import { parseCrl } from "../../../protocol/der/crl.ts";
import { certificatesOfTable } from "../../../protocol/evidence/snp/certificateTable.ts";
import { parseMrConfig } from "../../../protocol/evidence/snp/hostData.ts";
import { readLeafExtensions } from "../../../protocol/evidence/snp/leafExtensions.ts";
import { parseSnpReport } from "../../../protocol/evidence/snp/parseReport.ts";
import { issueCrl } from "../../../worker/tee/simulator/certificate.ts";
import { createAmdPki } from "../../../worker/tee/simulator/snp/amdPki.ts";
import { SimulatedSnp } from "../../../worker/tee/simulator/snp/SimulatedSnp.ts";
import { mutatedBytes } from "../../support/mutation.ts";
import { hasVectors, vector } from "../../support/vectors.ts";
import { AT } from "../evidence/simulated.ts";
import { json, mutatedDerOrBytes as der } from "./mutations.ts";
import { target, type Target } from "./target.ts";

/** What the kernel's table calls each certificate by. */
const GUIDS = {
  VCEK: "63da758de6644564adc5f4b93be8accd",
  VLEK: "a8074bc2a25a483eaae639c045a0b8a1",
  ASK: "4ab7b379bbac4fe4a02f05aef327c782",
  ARK: "c0b406a4a803495297433fb6014cd0ae",
};

/** A table of certificates as the host's kernel gives it: GUID, offset and length of each, zeros, certificates. */
function certificateTable(of: readonly (readonly [guid: string, der: Uint8Array])[]): Buffer {
  const head = Buffer.alloc(24 * (of.length + 1));
  let offset = head.length;
  of.forEach(([guid, { length }], i) => {
    head.write(guid, 24 * i, "hex");
    head.writeUInt32LE(offset, 24 * i + 16);
    head.writeUInt32LE(length, 24 * i + 20);
    offset += length;
  });
  return Buffer.concat([head, ...of.map(([, certificate]) => certificate)]);
}

/** dstack's configuration document of version 3. */
export const MR_CONFIG = JSON.stringify({
  version: 3,
  compose_hash: "ab".repeat(32),
  app_id: "cd".repeat(20),
  instance_id: "",
  key_provider: "none",
});

/** Parsers of AMD's formats, on simulated evidence, and on a real machine's where it lies beside the checkout. */
export function snpTargets(): Target[] {
  // One key for both CAs: making one takes a second, and no parser looks at whose it is.
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 4096 });
  const pki = createAmdPki({ notBefore: AT - 1000, keys: { ark: privateKey, ask: privateKey } });
  const [one, two] = (["VCEK", "VLEK"] as const).map((signer) =>
    new SimulatedSnp(pki, { name: signer, signer }).attest(new Uint8Array(64)),
  ) as [ReturnType<SimulatedSnp["attest"]>, ReturnType<SimulatedSnp["attest"]>];
  const { leaf, ask, ark } = one.certificates;
  const table = certificateTable([
    [GUIDS.VCEK, leaf],
    [GUIDS.ASK, ask],
    [GUIDS.ARK, ark],
  ]);
  const crl = Uint8Array.from(
    issueCrl({
      issuer: pki.ark,
      number: 1,
      thisUpdate: AT,
      nextUpdate: AT + 86_400,
      revokedSerials: [pki.askSerial],
    }),
  );
  const real = (name: string): Buffer[] => (hasVectors ? [vector(`snp/go-sev-guest-milan/${name}`)] : []);
  const leaves = [leaf, two.certificates.leaf, ...real("vcek.der")];
  return [
    target("certificatesOfTable", [table], mutatedBytes, (input) => certificatesOfTable(input, "VCEK")),
    target("parseMrConfig", [MR_CONFIG], json, parseMrConfig),
    target("parseSnpReport", [one.report, two.report, ...real("report.bin")], mutatedBytes, parseSnpReport),
    target("parseCertificate of AMD's", [...leaves, ask, ark], der, parseCertificate),
    target("readLeafExtensions", leaves, der, (input) => readLeafExtensions(parseCertificate(input))),
    target("parseCrl of AMD's", [crl], der, parseCrl),
  ];
}
