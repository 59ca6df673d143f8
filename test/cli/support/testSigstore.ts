import { createHash, generateKeyPairSync, sign, type KeyObject } from "node:crypto";

// Not of the package's index: that loads nock, which takes over every test's HTTP.
import { initializeCA, initializeCTLog } from "@sigstore/mock/dist/fulcio/index.js";
import { initializeTLog } from "@sigstore/mock/dist/rekor/tlog.js";
import { initializeTSA } from "@sigstore/mock/dist/timestamp/tsa.js";

import type { Identity } from "../../../protocol/note/provenance.ts";

const REKOR = "https://rekor.sigstore.test";
const DAY = 86_400_000;
const ISSUER_OID = "1.3.6.1.4.1.57264.1.8";
export const IN_TOTO = "application/vnd.in-toto+json";
export const SLSA = "https://slsa.dev/provenance/v1";

/** What may be wrong with a bundle; the defaults make a good one. */
export interface SignOptions {
  /** When the log says that it saw the signature (default: now). */
  readonly loggedAt?: Date;
  /** Is the certificate in a certificate log? */
  readonly inCtLog?: boolean;
  /** Leaves the transparency log out. */
  readonly inLog?: boolean;
  /** A time by the timestamp authority besides. */
  readonly timestamped?: boolean;
  /** Over which bytes the signature is in truth. */
  readonly signs?: Uint8Array;
}

/** JSON of a bundle, loose enough to be tampered with. */
export interface BundleJson {
  mediaType: string;
  verificationMaterial: {
    certificate?: { rawBytes: string };
    publicKey?: { hint: string };
    tlogEntries: { inclusionPromise?: { signedEntryTimestamp: string }; canonicalizedBody: string }[];
    timestampVerificationData: { rfc3161Timestamps: { signedTimestamp: string }[] };
  };
  messageSignature?: { messageDigest: { algorithm: string; digest: string }; signature: string };
  dsseEnvelope?: {
    payload: string;
    payloadType: string;
    signatures: { sig: string; keyid: string }[];
  };
}

/** A Sigstore of a test's own: authority, certificate log, transparency log, timestamps, and the root that trusts them. */
export interface TestSigstore {
  readonly trustedRoot: Readonly<Record<string, unknown>>;
  readonly signMessage: (
    artifact: Uint8Array,
    identity: Identity,
    options?: SignOptions,
  ) => Promise<BundleJson>;
  /** Signs a payload as it is; see `statementOf`. */
  readonly attest: (
    payload: Uint8Array,
    identity: Identity,
    options?: SignOptions & { payloadType?: string },
  ) => Promise<BundleJson>;
}

export async function testSigstore(): Promise<TestSigstore> {
  const [caKeys, ctKeys, logKeys, tsaKeys] = [p256(), p256(), p256(), p256()];
  const ctLog = await initializeCTLog(ctKeys);
  const ca = await initializeCA(caKeys, ctLog);
  // Whole seconds: it writes some fractions as DER must not, and the verifier does not read them.
  const tsaClock = new Date();
  const tsa = await initializeTSA(tsaKeys, tsaClock);

  async function certificateOf(publicKey: KeyObject, identity: Identity, inCtLog: boolean): Promise<Buffer> {
    const request = {
      publicKey: publicKey.export({ format: "der", type: "spki" }),
      subjectAltName: identity.subject,
      extensions: [{ oid: ISSUER_OID, value: identity.issuer }],
    };
    // The same authority, asked past the log.
    const from = inCtLog ? ca : await unlogged();
    return bufferOf(await from.issueCertificate(request));
  }
  const unlogged = () => initializeCA(caKeys);

  async function materialOf(
    body: (certificatePem: string, signature: Buffer) => object,
    signature: Buffer,
    certificate: Buffer,
    { loggedAt, inLog = true, timestamped = false }: SignOptions,
  ): Promise<BundleJson["verificationMaterial"]> {
    const log = await initializeTLog(REKOR, logKeys, loggedAt);
    const proposed = body(pem(certificate), signature) as { kind: string; apiVersion: string };
    // Its types are of a package that is not there.
    const entries = inLog ? Object.values((await log.log(proposed)) as Record<string, LogEntry>) : [];
    tsaClock.setTime(Math.ceil(Date.now() / 1_000) * 1_000);
    const times = timestamped
      ? [
          await tsa.timestamp({
            artifactHash: digest(signature),
            hashAlgorithmOID: "2.16.840.1.101.3.4.2.1",
            nonce: 7,
            policyOID: "1.3.6.1.4.1.57264.2",
            certReq: false,
          }),
        ]
      : [];
    return {
      certificate: { rawBytes: certificate.toString("base64") },
      tlogEntries: entries.map((entry) => entryJson(entry, proposed)),
      timestampVerificationData: {
        rfc3161Timestamps: times.map((time) => ({ signedTimestamp: bufferOf(time).toString("base64") })),
      },
    };
  }

  return {
    trustedRoot: {
      mediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
      tlogs: [logJson(REKOR, spki(logKeys.publicKey))],
      ctlogs: [logJson("https://ctfe.sigstore.test", bufferOf(ctLog.publicKey))],
      certificateAuthorities: [authorityJson([ca.rootCertificate])],
      timestampAuthorities: [authorityJson([tsa.intCertificate, tsa.rootCertificate])],
    },
    signMessage: async (artifact, identity, options = {}) => {
      const keys = p256();
      const certificate = await certificateOf(keys.publicKey, identity, options.inCtLog ?? true);
      const signature = sign("sha256", options.signs ?? artifact, keys.privateKey);
      const body = (certificatePem: string) => ({
        apiVersion: "0.0.1",
        kind: "hashedrekord",
        spec: {
          data: { hash: { algorithm: "sha256", value: digest(artifact).toString("hex") } },
          signature: {
            content: signature.toString("base64"),
            publicKey: { content: base64(certificatePem) },
          },
        },
      });
      return {
        mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json",
        verificationMaterial: await materialOf(body, signature, certificate, options),
        messageSignature: {
          messageDigest: { algorithm: "SHA2_256", digest: digest(artifact).toString("base64") },
          signature: signature.toString("base64"),
        },
      };
    },
    attest: async (payload, identity, { payloadType = IN_TOTO, ...options } = {}) => {
      const keys = p256();
      const certificate = await certificateOf(keys.publicKey, identity, options.inCtLog ?? true);
      const signature = sign(
        "sha256",
        preAuthEncoding(payloadType, options.signs ?? payload),
        keys.privateKey,
      );
      const body = (certificatePem: string) => ({
        apiVersion: "0.0.1",
        kind: "dsse",
        spec: {
          payloadHash: { algorithm: "sha256", value: digest(payload).toString("hex") },
          signatures: [{ signature: signature.toString("base64"), verifier: base64(certificatePem) }],
        },
      });
      return {
        mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json",
        verificationMaterial: await materialOf(body, signature, certificate, options),
        dsseEnvelope: {
          payload: Buffer.from(payload).toString("base64"),
          payloadType,
          signatures: [{ sig: signature.toString("base64"), keyid: "" }],
        },
      };
    },
  };
}

/** An in-toto statement that names these digests (hex without 0x). */
export const statementOf = (digests: readonly string[], predicateType = SLSA): Buffer =>
  Buffer.from(
    JSON.stringify({
      _type: "https://in-toto.io/Statement/v1",
      subject: digests.map((sha256, i) => ({ name: `file-${i}`, digest: { sha256 } })),
      predicateType,
      predicate: {},
    }),
  );

interface LogEntry {
  readonly body: string;
  readonly integratedTime: number;
  readonly logID: string;
  readonly logIndex: number;
  readonly verification: {
    readonly inclusionProof: { logIndex: number; treeSize: number; checkpoint: string; rootHash: string };
    readonly signedEntryTimestamp: string;
  };
}

/** From Rekor's own answer to a bundle's entry. */
function entryJson(entry: LogEntry, { kind, apiVersion }: { kind: string; apiVersion: string }) {
  const { inclusionProof, signedEntryTimestamp } = entry.verification;
  return {
    logIndex: String(entry.logIndex),
    logId: { keyId: Buffer.from(entry.logID, "hex").toString("base64") },
    kindVersion: { kind, version: apiVersion },
    integratedTime: String(entry.integratedTime),
    inclusionPromise: { signedEntryTimestamp },
    inclusionProof: {
      logIndex: String(inclusionProof.logIndex),
      rootHash: Buffer.from(inclusionProof.rootHash, "hex").toString("base64"),
      treeSize: String(inclusionProof.treeSize),
      hashes: [],
      checkpoint: { envelope: inclusionProof.checkpoint },
    },
    canonicalizedBody: entry.body,
  };
}

const validFor = () => ({ start: new Date(Date.now() - DAY).toISOString() });

const logJson = (baseUrl: string, key: Buffer) => ({
  baseUrl,
  hashAlgorithm: "SHA2_256",
  publicKey: {
    rawBytes: key.toString("base64"),
    keyDetails: "PKIX_ECDSA_P256_SHA_256",
    validFor: validFor(),
  },
  logId: { keyId: digest(key).toString("base64") },
});

const authorityJson = (chain: readonly ArrayBufferView[]) => ({
  subject: { organization: "sigstore.mock", commonName: "sigstore" },
  uri: "https://fulcio.sigstore.test",
  certChain: { certificates: chain.map((one) => ({ rawBytes: bufferOf(one).toString("base64") })) },
  validFor: validFor(),
});

/** https://github.com/secure-systems-lab/dsse/blob/master/protocol.md */
const preAuthEncoding = (type: string, payload: Uint8Array): Buffer =>
  Buffer.concat([
    Buffer.from(`DSSEv1 ${Buffer.byteLength(type)} ${type} ${payload.length} `),
    Buffer.from(payload),
  ]);

const p256 = () => generateKeyPairSync("ec", { namedCurve: "prime256v1" });
const spki = (key: KeyObject): Buffer => key.export({ format: "der", type: "spki" });
const digest = (bytes: Uint8Array): Buffer => createHash("sha256").update(bytes).digest();
const base64 = (text: string): string => Buffer.from(text).toString("base64");
const bufferOf = (view: ArrayBufferView): Buffer =>
  Buffer.from(view.buffer, view.byteOffset, view.byteLength);
const pem = (der: Buffer): string =>
  `-----BEGIN CERTIFICATE-----\n${der.toString("base64")}\n-----END CERTIFICATE-----\n`;
