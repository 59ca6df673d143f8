import { expect } from "chai";

import { nodeCrypto } from "../../../../protocol/crypto/node.ts";
import { webCrypto } from "../../../../protocol/crypto/web.ts";
import {
  NRAS_ISSUER,
  verifyNras,
  type NrasVerification,
  type VerifyNrasOptions,
} from "../../../../protocol/evidence/gpu/verifyNras.ts";
import { makeEat, type EatOptions } from "../../../../worker/tee/simulator/gpu/eat.ts";
import { deriveKey } from "../../../../worker/tee/simulator/keys.ts";
import { failedCheck } from "../simulated.ts";
import { AT, keys, NONCE, NONCE_HEX, pki } from "./simulatedGpu.ts";

const token = (options: Partial<EatOptions> = {}): string =>
  makeEat(pki, { nonce: NONCE, at: AT, ...options });
const verify = (text: string, options: Partial<VerifyNrasOptions> = {}): Promise<NrasVerification> =>
  verifyNras(text, { at: AT, crypto: nodeCrypto, nonce: NONCE_HEX, keys, ...options });
const refusal = (options: Partial<EatOptions>): Promise<string> => failedCheck(verify(token(options)));

type Bundle = [["JWT", string], Record<string, string>];
const bundle = (options: Partial<EatOptions> = {}): Bundle => JSON.parse(token(options)) as Bundle;

describe("a token of the simulated attestation service", () => {
  it("is accepted with its facts, in claims versions 3.0 and 4.0", async () => {
    for (const claimsVersion of ["3.0", "4.0"] as const) {
      const verified = await verify(token({ claimsVersion, gpus: 2 }));
      expect(verified).to.include({ kind: "nras", simulated: true, validFrom: AT, validUntil: AT + 3600 });
      expect(verified.gpus).to.have.length(2);
      expect(verified.gpus[0]).to.deep.equal({
        hwModel: "GH100 A01 GSP BROM",
        ueid: "1000",
        driverVersion: "590.12",
        vbiosVersion: "96.00.A5.00.01",
        claimsVersion,
      });
    }
  });

  it("gives the same answer with digests of WebCrypto", async () => {
    const text = token();
    expect(await verify(text, { crypto: webCrypto })).to.deep.equal(await verify(text));
  });

  it("is refused where another key signed, none did, or another issuer is named", async () => {
    expect(await refusal({ key: deriveKey(pki.secret, "somebody", "P-384") })).to.equal("gpu-eat-signature");
    expect(await refusal({ issuer: NRAS_ISSUER })).to.equal("gpu-eat-issuer");
    const [[, overall], detached] = bundle();
    const none = `${Buffer.from('{"alg":"none"}').toString("base64url")}.${overall.split(".")[1]}.`;
    expect(await failedCheck(verify(JSON.stringify([["JWT", none], detached])))).to.equal(
      "gpu-eat-signature",
    );
    expect(await failedCheck(verify(token(), { keys: { ...keys, keys: { keys: [] } } }))).to.equal(
      "gpu-eat-signature",
    );
  });

  it("is refused where a key set is of another kind than ES384", async () => {
    const [key] = keys.keys.keys;
    for (const jwk of [
      { ...key, alg: "ES256" },
      { ...key, x: "AAAA" },
      { kty: "oct", k: "AAAA", kid: key?.kid },
    ]) {
      const set = { ...keys, keys: { keys: [jwk] } as typeof keys.keys };
      expect(await failedCheck(verify(token(), { keys: set }))).to.equal("gpu-eat-signature");
    }
  });

  it("is refused outside its time", async () => {
    const text = token();
    expect(await failedCheck(verify(text, { at: AT + 3600 }))).to.equal("validity");
    expect(await failedCheck(verify(text, { at: AT - 1 }))).to.equal("validity");
    expect(await refusal({ overall: { exp: AT } })).to.equal("validity");
    expect(await refusal({ claims: { exp: AT } })).to.equal("validity");
    expect(await refusal({ claims: { iat: AT + 1 } })).to.equal("validity");
    expect(await refusal({ claims: { exp: undefined } })).to.equal("gpu-eat-times");
  });

  it("is refused for another nonce in any of its tokens", async () => {
    const other = "11".repeat(32);
    expect(await refusal({ nonce: new Uint8Array(32).fill(0x11) })).to.equal("gpu-nonce");
    expect(await refusal({ overall: { eat_nonce: other } })).to.equal("gpu-nonce");
    expect(await refusal({ claims: { eat_nonce: other } })).to.equal("gpu-nonce");
  });

  it("is refused in devtools mode, with confidential mode off, and where the service says no", async () => {
    expect(await refusal({ devTools: true })).to.equal("gpu-overall-result");
    expect(await refusal({ ccOff: true })).to.equal("gpu-overall-result");
    const yes = { overall: { "x-nvidia-overall-att-result": true } };
    expect(await refusal({ ...yes, devTools: true })).to.equal("gpu-claims-measurements");
    expect(await refusal({ ...yes, ccOff: true })).to.equal("gpu-claims-measurements");
    expect(await refusal({ claims: { dbgstat: "enabled" } })).to.equal("gpu-claims-debug");
    expect(await refusal({ claims: { dbgstat: null } })).to.equal("gpu-claims-debug");
    expect(await refusal({ claims: { secboot: false } })).to.equal("gpu-claims-secure-boot");
    expect(await refusal({ claims: { secboot: null } })).to.equal("gpu-claims-secure-boot");
  });

  it("is refused where any condition is untrue, also one that is not known", async () => {
    const known = "x-nvidia-gpu-attestation-report-signature-verified";
    expect(await refusal({ claims: { [known]: false } })).to.equal("gpu-claims-conditions");
    expect(await refusal({ claims: { "x-nvidia-gpu-something-new-verified": false } })).to.equal(
      "gpu-claims-conditions",
    );
    expect(await refusal({ claims: { [known]: undefined } })).to.equal("gpu-claims-format");
    expect(await refusal({ claims: { [known]: "true" } })).to.equal("gpu-claims-format");
    expect(await refusal({ claims: { "x-nvidia-mismatch-measurement-records": [{}] } })).to.equal(
      "gpu-claims-mismatch",
    );
    expect(await refusal({ claims: { "x-nvidia-mismatch-opaque-data-records": [{}] } })).to.equal(
      "gpu-claims-mismatch",
    );
    const chain = {
      "x-nvidia-cert-expiration-date": "",
      "x-nvidia-cert-status": "valid",
      "x-nvidia-cert-ocsp-status": "good",
    };
    const name = "x-nvidia-gpu-driver-rim-cert-chain";
    expect(await refusal({ claims: { [name]: chain } })).to.equal("none");
    for (const bad of [
      { "x-nvidia-cert-status": "expired" },
      { "x-nvidia-cert-ocsp-status": "revoked" },
      { "x-nvidia-cert-ocsp-response-valid": false },
    ]) {
      expect(await refusal({ claims: { [name]: { ...chain, ...bad } } })).to.equal("gpu-claims-chains");
    }
  });

  it("is refused with claims of another version or device", async () => {
    expect(await refusal({ claims: { "x-nvidia-gpu-claims-version": "2.0" } })).to.equal("gpu-claims-format");
    expect(await refusal({ overall: { "x-nvidia-ver": "2.0" } })).to.equal("gpu-eat-claims");
    expect(await refusal({ claims: { "x-nvidia-device-type": "nvswitch" } })).to.equal("gpu-claims-format");
    expect(await refusal({ overall: { sub: "another" } })).to.equal("gpu-eat-claims");
  });

  it("is refused where detached claims are swapped, missing, added or renamed", async () => {
    const [head, detached] = bundle({ gpus: 2 });
    const [, others] = bundle({ gpus: 2, claims: { ueid: "7" } });
    const one = detached["GPU-0"] as string;
    for (const gpus of [
      { "GPU-0": detached["GPU-1"], "GPU-1": one },
      { "GPU-0": one, "GPU-1": one },
      { "GPU-0": one },
      { ...detached, "GPU-2": one },
      { "GPU-0": one, "GPU-7": detached["GPU-1"] },
      { "GPU-0": one, constructor: detached["GPU-1"] },
      others,
    ]) {
      expect(await failedCheck(verify(JSON.stringify([head, gpus])))).to.equal("gpu-eat-digests");
    }
    expect(await failedCheck(verify(JSON.stringify([head, {}])))).to.equal("gpu-eat-format");
  });

  it("is refused as anything but a detached EAT", async () => {
    const [, detached] = bundle();
    for (const text of [
      "",
      "{}",
      "[]",
      JSON.stringify([["JWT", "a.b"], detached]),
      JSON.stringify([["CWT", "a.b.c"], detached]),
      JSON.stringify([["JWT", `${"a".repeat(70_000)}.b.c`], detached]),
      " ".repeat(2_000_000),
    ]) {
      expect(await failedCheck(verify(text))).to.equal("gpu-eat-format");
    }
    expect(await failedCheck(verify(JSON.stringify([["JWT", "a.b.c"], detached])))).to.equal(
      "gpu-eat-signature",
    );
  });

  it("is refused with any character of it changed", async () => {
    const text = token();
    const start = text.indexOf("eyJ");
    const end = text.indexOf('"', start);
    for (let i = start; i < end; i += 13) {
      const changed = text.slice(0, i) + (text[i] === "A" ? "B" : "A") + text.slice(i + 1);
      expect(await failedCheck(verify(changed)), `character ${i}`).to.not.equal("none");
    }
  }).timeout(20_000);
});
