import { createHash, createPublicKey, sign, type KeyObject } from "node:crypto";

import { deriveKey } from "../keys.ts";
import type { GpuPki } from "./gpuPki.ts";
import { GPU_DRIVER, GPU_VBIOS } from "./gpuReport.ts";

export interface EatOptions {
  /** 32 bytes. */
  readonly nonce: Uint8Array;
  /** Unix seconds of issue. */
  readonly at: number;
  readonly validitySeconds?: number;
  readonly gpus?: number;
  readonly claimsVersion?: "3.0" | "4.0";
  readonly issuer?: string;
  /** A debugger's firmware: measurements differ, and the service leaves secure boot and debug status open. */
  readonly devTools?: boolean;
  /** A GPU without confidential mode: the service says no. */
  readonly ccOff?: boolean;
  /** Signs in the service's place. */
  readonly key?: KeyObject;
  /** Changes claims about each GPU, or the overall ones. */
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly overall?: Readonly<Record<string, unknown>>;
}

/** `iss` of the simulated service. */
export const EAT_ISSUER = "https://nras.simulated.invalid";
const KEY_ID = "simulated-nras-1";

const serviceKey = (pki: GpuPki): KeyObject => deriveKey(pki.secret, "nras", "P-384");

/** The service's keys as it would publish them (RFC 7517). */
export function eatKeys(pki: GpuPki): { keys: Record<string, unknown>[] } {
  const jwk = createPublicKey(serviceKey(pki)).export({ format: "jwk" });
  return { keys: [{ ...jwk, kid: KEY_ID, alg: "ES384", use: "sig" }] };
}

/** A detached EAT as NVIDIA's attestation service gives it. */
export function makeEat(pki: GpuPki, options: EatOptions): string {
  const { nonce, at, validitySeconds = 3600, gpus = 1, key = serviceKey(pki), overall = {} } = options;
  const registered = { iss: options.issuer ?? EAT_ISSUER, iat: at, nbf: at, exp: at + validitySeconds };
  const detached = Object.fromEntries(
    Array.from({ length: gpus }, (_, i) => [
      `GPU-${i}`,
      jwt({ ...registered, jti: `gpu-${i}`, ...gpuClaims(options, i) }, key),
    ]),
  );
  const submods = Object.fromEntries(
    Object.entries(detached).map(([name, token]) => [
      name,
      ["DIGEST", ["SHA-256", createHash("sha256").update(token).digest("hex")]],
    ]),
  );
  const isGood = options.devTools !== true && options.ccOff !== true;
  const claims = {
    ...registered,
    sub: "NVIDIA-PLATFORM-ATTESTATION",
    jti: "overall",
    eat_nonce: Buffer.from(nonce).toString("hex"),
    "x-nvidia-ver": options.claimsVersion ?? "3.0",
    "x-nvidia-overall-att-result": isGood,
    submods,
    ...overall,
  };
  return JSON.stringify([["JWT", jwt(claims, key)], detached]);
}

function gpuClaims(options: EatOptions, i: number): Record<string, unknown> {
  const { nonce, devTools = false, ccOff = false, claimsVersion = "3.0", claims = {} } = options;
  const isGood = !devTools && !ccOff;
  const chain = {
    "x-nvidia-cert-expiration-date": "9999-12-31T23:59:59Z",
    "x-nvidia-cert-status": "valid",
    "x-nvidia-cert-ocsp-status": "good",
    "x-nvidia-cert-revocation-reason": null,
    "x-nvidia-cert-ocsp-nonce-matches": true,
    "x-nvidia-cert-ocsp-response-valid": true,
  };
  return {
    "x-nvidia-gpu-claims-version": claimsVersion,
    "x-nvidia-device-type": "gpu",
    eat_nonce: Buffer.from(nonce).toString("hex"),
    hwmodel: "GH100 A01 GSP BROM",
    ueid: `${1000 + i}`,
    oemid: "5703",
    measres: isGood ? "success" : "fail",
    secboot: isGood ? true : null,
    dbgstat: isGood ? "disabled" : null,
    "x-nvidia-mismatch-measurement-records": isGood ? null : [{ index: 0 }],
    "x-nvidia-gpu-driver-version": GPU_DRIVER,
    "x-nvidia-gpu-vbios-version": GPU_VBIOS,
    "x-nvidia-gpu-arch-check": true,
    "x-nvidia-gpu-attestation-report-parsed": true,
    "x-nvidia-gpu-attestation-report-nonce-match": true,
    "x-nvidia-gpu-attestation-report-signature-verified": true,
    "x-nvidia-gpu-attestation-report-cert-chain-fwid-match": true,
    "x-nvidia-gpu-attestation-report-cert-chain": chain,
    ...rimClaims("driver", chain),
    ...rimClaims("vbios", chain),
    "x-nvidia-gpu-vbios-index-no-conflict": true,
    ...claims,
  };
}

const rimClaims = (kind: string, chain: unknown): Record<string, unknown> => ({
  [`x-nvidia-gpu-${kind}-rim-fetched`]: true,
  [`x-nvidia-gpu-${kind}-rim-cert-chain`]: chain,
  [`x-nvidia-gpu-${kind}-rim-signature-verified`]: true,
  [`x-nvidia-gpu-${kind}-rim-version-match`]: true,
  [`x-nvidia-gpu-${kind}-rim-measurements-available`]: true,
});

/** JWS compact form, ES384 (RFC 7515 §3.1, RFC 7518 §3.4). */
function jwt(claims: unknown, key: KeyObject): string {
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const message = `${encode({ alg: "ES384", typ: "JWT", kid: KEY_ID })}.${encode(claims)}`;
  const signature = sign("sha384", Buffer.from(message), { key, dsaEncoding: "ieee-p1363" });
  return `${message}.${signature.toString("base64url")}`;
}
