import type { Crypto } from "../../crypto/crypto.ts";
import { parseCertificate, type Certificate } from "../../der/certificate.ts";
import { CharterError } from "../../errors/CharterError.ts";
import { isZero } from "../../words/bytes.ts";
import { toHex } from "../../words/hex.ts";
import { ChainSignatures, isWithin, requireLinked, rootOf, windowOf } from "../chain/chain.ts";
import type { TrustedRoot } from "../chain/roots.ts";
import { Checklist, type Check } from "../EvidenceError.ts";
import { AWS_NITRO_ROOT } from "./nitroRoot.ts";
import { parseNitroDocument, type NitroDocument } from "./parseDocument.ts";

export interface VerifyNitroOptions {
  /** Unix seconds to judge at. A document's own certificate lives three hours. */
  readonly at: number;
  readonly crypto: Crypto;
  /** Default: AWS's only. */
  readonly roots?: readonly TrustedRoot[];
  /** Oldest document that will do, in seconds. Default: as old as its certificates let it be. */
  readonly maxAgeSeconds?: number;
}

/** A document that passed every check. */
export interface NitroVerification {
  readonly kind: "nitro";
  /** AWS names no machine that would be the same tomorrow. */
  readonly platformId: null;
  readonly document: NitroDocument;
  /** `validFrom ≤ t < validUntil`: intersection of the certificates. */
  readonly validFrom: number;
  readonly validUntil: number;
  readonly root: string;
  readonly simulated: boolean;
  readonly checks: readonly Check[];
}

/** Leaf, instance, zone, region, root; AWS may put more between. */
const LEAST_CERTIFICATES = 3;
const MOST_CERTIFICATES = 10;
/** How far the hypervisor's clock may be ahead of whoever judges. */
const CLOCK_SKEW_SECONDS = 60;
/** PCRs that say which image runs; an enclave in debug mode has them zero. */
const IMAGE_PCRS = [0, 1, 2];

/**
 * Verifies an AWS Nitro Enclaves attestation document (COSE_Sign1 with ES384; AWS, "Verifying the root of trust"). Pure;
 * every signature is computed before the first judgement.
 *
 * Not checked: which image the PCRs are of, what is bound in user data, nonce and public key (the caller knows), and
 * revocation: AWS publishes lists for some of these CAs over HTTP, and the leaf lives for three hours.
 * @throws EvidenceError `evidence/<check>` with the checks so far.
 */
export async function verifyNitro(
  bytes: Uint8Array,
  options: VerifyNitroOptions,
): Promise<NitroVerification> {
  const { at, crypto, roots = [AWS_NITRO_ROOT], maxAgeSeconds = Infinity } = options;
  const list = new Checklist();
  const { document, signed, signature } = list.attempt("nitro-format", "an attestation document", () =>
    parseNitroDocument(bytes),
  );
  const chain = list.attempt("nitro-chain", "the document's certificates up to the root", () =>
    parseChain(document),
  );
  const [leaf] = chain;

  const [links, isSigned] = await Promise.all([
    new ChainSignatures(crypto).hold(chain),
    crypto.verify("p384-sha384", leaf.publicKey, signed, signature),
  ]);
  const root = rootOf(chain, roots);
  list.require(root !== undefined, "root-pinned", "a chain that ends at a trusted root", {
    rootKey: toHex(chain.at(-1)?.publicKey ?? new Uint8Array()),
  });
  list.require(links, "nitro-chain-signatures", "every certificate to be signed by the next");
  const window = windowOf(chain);
  list.require(isWithin(window, at), "validity", "every certificate to be valid at that time", {
    at,
    window,
  });
  list.require(isSigned, "nitro-signature", "a document signed by its certificate's key");

  const made = document.timestamp / 1000;
  list.require(
    isWithin(window, made) && made <= at + CLOCK_SKEW_SECONDS,
    "nitro-time",
    "a document made while its certificates were valid, and not in the future",
    { at, made, window },
  );
  list.require(at - made <= maxAgeSeconds, "nitro-age", `a document of at most ${maxAgeSeconds} seconds`, {
    at,
    made,
  });
  const image = IMAGE_PCRS.map((index) => document.pcrs.get(index));
  list.require(
    image.every((pcr) => pcr !== undefined),
    "nitro-pcrs",
    "PCR0, PCR1 and PCR2",
    { present: [...document.pcrs.keys()] },
  );
  list.require(
    !image.every((pcr) => pcr === undefined || isZero(pcr)),
    "nitro-debug",
    "an enclave that is not in debug mode: its PCRs are not all zero",
  );
  const { name, simulated } = root as TrustedRoot;
  return {
    kind: "nitro",
    platformId: null,
    document,
    validFrom: window.from,
    validUntil: window.until,
    root: name,
    simulated,
    checks: list.checks,
  };
}

/** The bundle begins with the root; every key and signature is on P-384. */
function parseChain({ certificate, cabundle }: NitroDocument): readonly [Certificate, ...Certificate[]] {
  const bundle = cabundle.map(parseCertificate).reverse();
  const chain = [parseCertificate(certificate), ...bundle] as const;
  requireLinked(chain, LEAST_CERTIFICATES, MOST_CERTIFICATES);
  chain.forEach(({ keyType, scheme }, i) => {
    if (keyType !== "P-384" || scheme !== "p384-sha384") {
      throw new CharterError("chain/malformed", `certificate ${i}: expected P-384 with SHA-384`, { i });
    }
  });
  return chain;
}
