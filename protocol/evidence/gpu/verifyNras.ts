import type { JSONWebKeySet } from "jose";
import { JOSEError } from "jose/errors";
import { createLocalJWKSet } from "jose/jwks/local";
import { compactVerify } from "jose/jws/compact/verify";
import * as z from "zod/mini";

import type { Crypto } from "../../crypto/crypto.ts";
import { CharterError } from "../../errors/CharterError.ts";
import { firstIssue } from "../../words/issues.ts";
import { toHex, type Bytes32 } from "../../words/hex.ts";
import { parseStrictJson } from "../../words/strictJson.ts";
import { intersect, isWithin, type Window } from "../chain/chain.ts";
import { Checklist, type Check } from "../EvidenceError.ts";
import { overallSchema, parseDetachedEat, registeredSchema } from "./detachedEat.ts";
import { parseGpuClaims, requireGoodClaims, type GpuClaimFacts } from "./gpuClaims.ts";

/** The keys of an attestation service, pinned by the caller: NVIDIA publishes its own below its issuer's URL. */
export interface TrustedKeySet {
  readonly name: string;
  /** `iss` of its tokens. */
  readonly issuer: string;
  readonly keys: JSONWebKeySet;
  readonly simulated: boolean;
}

/** `iss` of NVIDIA's service. Its keys change every few days (…/.well-known/jwks.json), so none is pinned here. */
export const NRAS_ISSUER = "https://nras.attestation.nvidia.com";

export interface VerifyNrasOptions {
  /** Unix seconds to judge at. */
  readonly at: number;
  /** For the digests of detached claims; signatures are checked by jose on WebCrypto. */
  readonly crypto: Crypto;
  readonly nonce: Bytes32;
  readonly keys: TrustedKeySet;
}

/** A token of NVIDIA's attestation service that passed every check. */
export interface NrasVerification {
  readonly kind: "nras";
  readonly platformId: null;
  readonly nonce: Bytes32;
  readonly gpus: readonly GpuClaimFacts[];
  /** `validFrom ≤ t < validUntil`: intersection of all tokens. */
  readonly validFrom: number;
  readonly validUntil: number;
  /** Name of the key set. */
  readonly root: string;
  readonly simulated: boolean;
  /** The exact text. */
  readonly token: string;
  readonly checks: readonly Check[];
}

const ALGORITHM = "ES384";

/**
 * Verifies a detached EAT of NVIDIA's Remote Attestation Service, claims version 3.0 or 4.0. Every token's signature is
 * computed before the first judgement; detached claims count only by their own signature and the digest in the
 * overall token.
 *
 * Not checked: the report itself (the service did), that the keys are NVIDIA's (the caller pinned them), whether a
 * token was used before, beyond its nonce.
 * @throws EvidenceError `evidence/<check>`.
 */
export async function verifyNras(text: string, options: VerifyNrasOptions): Promise<NrasVerification> {
  const { at, crypto, nonce, keys } = options;
  const list = new Checklist();
  const [[, overallToken], detached] = list.attempt("gpu-eat-format", "a detached EAT", () =>
    parseDetachedEat(text),
  );
  const names = Object.keys(detached);
  const tokens = [overallToken, ...names.map((name) => detached[name] as string)];
  const [signed, digests] = await Promise.all([
    Promise.allSettled(tokens.map((token) => signedPayload(token, keys))),
    Promise.all(tokens.map((token) => crypto.digest("SHA-256", new TextEncoder().encode(token)))),
  ]);
  const bytes = requireSigned(list, signed, keys);
  const payloads = list.attempt("gpu-eat-times", "registered claims in every token", () =>
    bytes.map(readClaims),
  );
  const issuers = payloads.map(({ iss }) => iss);
  list.require(
    issuers.every((one) => one === keys.issuer),
    "gpu-eat-issuer",
    `tokens issued by ${keys.issuer}`,
    { expected: keys.issuer, actual: issuers },
  );
  const windows = payloads.map(windowOf);
  list.require(
    windows.every((window) => isWithin(window, at)),
    "validity",
    "tokens valid at that time",
    { at, windows },
  );
  const overall = list.attempt("gpu-eat-claims", "NVIDIA's overall claims", () => parseOverall(payloads[0]));
  const submods = Object.keys(overall.submods);
  list.require(
    submods.length === names.length &&
      names.every((name, i) => hasDigest(overall.submods, name, digests[i + 1] as Uint8Array)),
    "gpu-eat-digests",
    "the digest of each GPU's token in the overall token, and no other",
    { submods, detached: names },
  );
  const claims = list.attempt("gpu-claims-format", "claims about each GPU", () =>
    payloads.slice(1).map(parseGpuClaims),
  );
  const nonces = [overall.eat_nonce, ...claims.map((one) => one.eat_nonce)].map(
    (one) => `0x${one.toLowerCase()}`,
  );
  list.require(
    nonces.every((one) => one === nonce),
    "gpu-nonce",
    "this nonce in every token",
    { expected: nonce, actual: nonces },
  );
  list.require(overall["x-nvidia-overall-att-result"], "gpu-overall-result", "an overall result of true");
  const gpus = claims.map((one, i) => requireGoodClaims(list, names[i] as string, one));

  const window = intersect(windows);
  return {
    kind: "nras",
    platformId: null,
    nonce,
    gpus,
    validFrom: window.from,
    validUntil: window.until,
    root: keys.name,
    simulated: keys.simulated,
    token: text,
    checks: list.checks,
  };
}

/** Every token signed by a key of the set: jose's errors become this check. */
function requireSigned(
  list: Checklist,
  signed: readonly PromiseSettledResult<Uint8Array>[],
  { name }: TrustedKeySet,
): readonly Uint8Array[] {
  const failed = signed.find((one) => one.status === "rejected");
  const error: unknown = failed?.reason;
  const detail = failed
    ? {
        code: error instanceof JOSEError ? error.code : "unknown",
        message: error instanceof Error ? error.message : "",
      }
    : { keys: name };
  list.require(!failed, "gpu-eat-signature", "tokens signed by a pinned key", detail);
  return signed.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
}

/** The payload, whose signature by the one key that the token names holds (RFC 7515 §5.2). jose's errors are coded. */
async function signedPayload(token: string, { keys }: TrustedKeySet): Promise<Uint8Array> {
  const { payload } = await compactVerify(token, createLocalJWKSet(keys), { algorithms: [ALGORITHM] });
  return payload;
}

/** Claims as JSON that has each name once. @throws CharterError `json/malformed`, `gpu/claims-malformed`. */
function readClaims(payload: Uint8Array): z.infer<typeof registeredSchema> {
  const parsed = z.safeParse(registeredSchema, parseStrictJson(new TextDecoder().decode(payload), "claims"));
  if (parsed.success) return parsed.data;
  throw new CharterError("gpu/claims-malformed", firstIssue(parsed.error));
}

function parseOverall(payload: unknown): z.infer<typeof overallSchema> {
  const parsed = z.safeParse(overallSchema, payload);
  if (parsed.success) return parsed.data;
  throw new CharterError("gpu/claims-malformed", firstIssue(parsed.error));
}

const windowOf = ({ iat, nbf = iat, exp }: z.infer<typeof registeredSchema>): Window => ({
  from: Math.max(iat, nbf),
  until: exp,
});

function hasDigest(
  submods: z.infer<typeof overallSchema>["submods"],
  name: string,
  digest: Uint8Array,
): boolean {
  const entry = Object.hasOwn(submods, name) ? submods[name] : undefined;
  return entry !== undefined && `0x${entry[1][1].toLowerCase()}` === toHex(digest);
}
