import { expect } from "chai";

import { nodeCrypto } from "../../../../protocol/crypto/node.ts";
import { webCrypto } from "../../../../protocol/crypto/web.ts";
import { parseCertificate } from "../../../../protocol/der/certificate.ts";
import { splitPem } from "../../../../protocol/der/pem.ts";
import { CharterError } from "../../../../protocol/errors/CharterError.ts";
import { parseGpuEvidence, type GpuEvidence } from "../../../../protocol/evidence/gpu/gpuEvidence.ts";
import { parseNvattest } from "../../../../protocol/evidence/gpu/nvattest.ts";
import { verifyGpu } from "../../../../protocol/evidence/gpu/verifyGpu.ts";
import { verifyNras } from "../../../../protocol/evidence/gpu/verifyNras.ts";
import { clock, itOnVectors, vector } from "../../../support/vectors.ts";
import { failedCheck } from "../simulated.ts";
import { keys, NONCE_HEX } from "./simulatedGpu.ts";

const at = clock("2026-01-01T00:00:00Z");

function load(name: string): GpuEvidence {
  const [evidence] = parseGpuEvidence(vector(`gpu/${name}`).toString("utf8"));
  if (!evidence) throw new Error("expected one GPU");
  return evidence;
}

describe("evidence of real NVIDIA GPUs", () => {
  itOnVectors("of a Hopper in protected PCIe mode is accepted under NVIDIA's root", async () => {
    const evidence = load("hopper-evidence.json");
    const verified = await verifyGpu(evidence, { at, crypto: nodeCrypto, nonce: evidence.nonce });
    expect(verified).to.include({
      arch: "HOPPER",
      hwModel: "GH100 A01 GSP BROM",
      root: "NVIDIA Device Identity CA",
      simulated: false,
      revocation: "unchecked",
      measured: "unchecked",
      validFrom: clock("2022-03-01T00:00:00Z"),
      validUntil: clock("9999-12-31T23:59:59Z"),
    });
    expect(verified.facts).to.include({
      driverVersion: "590.12",
      vbiosVersion: "96.00.A5.00.01",
      mode: "ppcie",
      project: "G520",
      projectSku: "0200",
      chipSku: "885",
    });
    expect(verified.measurements).to.have.length(64);
    const onWeb = await verifyGpu(evidence, { at, crypto: webCrypto, nonce: evidence.nonce });
    expect(onWeb).to.deep.equal(verified);
  });

  itOnVectors(
    "with a certificate on hold is accepted as unchecked, and refused once OCSP says so",
    async () => {
      const evidence = load("hopper-evidence-cert-hold.json");
      const options = { at, crypto: nodeCrypto, nonce: evidence.nonce };
      const verified = await verifyGpu(evidence, options);
      expect(verified.revocation).to.equal("unchecked");
      expect(verified.facts).to.include({
        driverVersion: "570.86.10",
        vbiosVersion: "96.00.AF.00.01",
        mode: "unstated",
      });
      const serials = splitPem(evidence.certificates).map((one) => parseCertificate(one).serial);
      const good = Object.fromEntries(serials.slice(1, -1).map((serial) => [serial, "good" as const]));
      const ocsp = {
        status: { ...good, [serials[1] as string]: "hold" as const },
        from: at - 1,
        until: at + 1,
      };
      expect(await failedCheck(verifyGpu(evidence, { ...options, ocsp }))).to.equal("gpu-revoked");
    },
  );

  itOnVectors("is refused for another nonce, and with another GPU's certificates", async () => {
    const one = load("hopper-evidence.json");
    const two = load("hopper-evidence-cert-hold.json");
    const options = { at, crypto: nodeCrypto };
    expect(await failedCheck(verifyGpu(one, { ...options, nonce: two.nonce }))).to.equal("gpu-nonce");
    const mixed = { ...one, certificates: two.certificates };
    expect(await failedCheck(verifyGpu(mixed, { ...options, nonce: one.nonce }))).to.equal("gpu-signature");
  });

  itOnVectors("as the local verifier's output parses, and is nobody's word", async () => {
    const text = vector("gpu/nvattest-h100.json").toString("utf8");
    const output = parseNvattest(text);
    expect(output).to.include({ signed: false, resultCode: 0, resultMessage: "Ok" });
    expect(output.claims[0]).to.include({
      hwmodel: "GH100 A01 GSP BROM",
      measres: "success",
      secboot: true,
      dbgstat: "disabled",
      "x-nvidia-gpu-driver-version": "580.159.03",
      "x-nvidia-gpu-vbios-version": "96.00.D9.00.01",
    });
    const unsigned = JSON.stringify(output.detachedEat);
    const options = { at, crypto: nodeCrypto, nonce: NONCE_HEX, keys };
    expect(await failedCheck(verifyNras(unsigned, options))).to.equal("gpu-eat-signature");
  });

  itOnVectors(
    "as the local verifier's output is refused where a field is missing, extra or of another type",
    () => {
      const good = JSON.parse(vector("gpu/nvattest-h100.json").toString("utf8")) as {
        claims: [Record<string, unknown>];
      };
      const [claims] = good.claims;
      for (const bad of [
        {},
        { ...good, extra: 1 },
        { ...good, claims: [] },
        { ...good, claims: [{ ...claims, secboot: "true" }] },
        { ...good, claims: [{ ...claims, "x-nvidia-gpu-claims-version": "9.0" }] },
        { ...good, claims: [{ ...claims, eat_nonce: "11" }] },
      ]) {
        expect(() => parseNvattest(JSON.stringify(bad))).to.throw(CharterError);
      }
      expect(() => parseNvattest("{")).to.throw(CharterError);
      expect(() => parseNvattest('{"claims":[],"claims":[]}')).to.throw(CharterError);
    },
  );
});
