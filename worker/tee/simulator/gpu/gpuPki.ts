import { randomBytes, type KeyObject } from "node:crypto";

import { issueCertificate, toPem, type Issuer } from "../certificate.ts";
import * as der from "../der.ts";
import { deriveKey, labelled, publicPoint } from "../keys.ts";
import { serialOf } from "../pki.ts";

/** NVIDIA-shaped PKI on P-384 under test roots: one above GPUs, one above the signers of manifests. */
export interface GpuPki {
  readonly secret: Uint8Array;
  readonly notBefore: number;
  readonly notAfter: number;
  /** The root first, then each CA below it: device identity, provisioner. */
  readonly cas: readonly [root: Issuer, identity: Issuer, provisioner: Issuer];
  /** PEM of `cas`, the root last. */
  readonly chain: string;
  /** PEM. */
  readonly root: string;
  readonly rimRoot: string;
  readonly rimSigner: KeyObject;
  /** The root above manifests, and the CA above their signer. */
  readonly rimCas: readonly [root: Issuer, ca: Issuer];
  /** DER, signer first, root last. */
  readonly rimChain: readonly Uint8Array[];
}

export interface GpuPkiOptions {
  /** Unix seconds. */
  readonly notBefore: number;
  readonly validitySeconds?: number;
  readonly secret?: Uint8Array;
}

const THIRTY_YEARS = 30 * 365 * 86_400;

/** Makes the PKI: all of it follows from the secret, signatures aside. */
export function createGpuPki(options: GpuPkiOptions): GpuPki {
  const { notBefore, validitySeconds = THIRTY_YEARS, secret = randomBytes(32) } = options;
  const notAfter = notBefore + validitySeconds;
  const authority = (name: string): Issuer => ({ name, key: deriveKey(secret, name, "P-384") });
  const issue = (issuer: Issuer, { name, key }: Issuer, ca?: number): Buffer =>
    issueCertificate({
      issuer,
      subject: name,
      key,
      serial: serialOf(secret, name),
      notBefore,
      notAfter,
      ...(ca === undefined ? {} : { ca }),
    });
  const root = authority("NVIDIA Device Identity CA");
  const identity = authority("NVIDIA GH100 Identity");
  const provisioner = authority("NVIDIA GH100 Provisioner ICA 1");
  const rimRoot = authority("NVIDIA CoRIM signing Root CA");
  const rimCa = authority("NVIDIA Reference Value GH100 CA");
  const rimSigner = authority("HCC RIM L4 Signer");
  const rootPem = toPem(issue(root, root, 3));
  const rimRootDer = issue(rimRoot, rimRoot, 1);
  return {
    secret,
    notBefore,
    notAfter,
    cas: [root, identity, provisioner],
    chain: toPem(issue(identity, provisioner, 1)) + toPem(issue(root, identity, 2)) + rootPem,
    root: rootPem,
    rimRoot: toPem(rimRootDer),
    rimSigner: rimSigner.key,
    rimCas: [rimRoot, rimCa],
    rimChain: [issue(rimCa, rimSigner), issue(rimRoot, rimCa, 0), rimRootDer],
  };
}

const COMPOSITE_DEVICE_ID = "2.23.133.5.4.1";
const DICE_TCB_INFO = "2.23.133.5.4.1.1";
const SHA384 = "2.16.840.1.101.3.4.2.2";

export interface GpuIdentity {
  /** Key of the attestation certificate. */
  readonly leafKey: KeyObject;
  /** SHA-384 of the firmware. */
  readonly firmwareId: Uint8Array;
  readonly leafSerial: Uint8Array;
  readonly identitySerial: Uint8Array;
  /** PEM, leaf first, root last. */
  readonly certificates: string;
}

export interface GpuIdentityOptions {
  /** Which GPU: equal names under one PKI are the same. */
  readonly name: string;
  readonly arch?: "HOPPER" | "BLACKWELL";
  /** Curve of the attestation key; the vendor has P-384 only. */
  readonly curve?: "P-256" | "P-384";
}

/** Device identity (made once) and attestation certificate (made by the GPU's firmware) of one GPU. */
export function gpuIdentity(pki: GpuPki, options: GpuIdentityOptions): GpuIdentity {
  const { name, arch = "HOPPER", curve = "P-384" } = options;
  const isHopper = arch === "HOPPER";
  const device: Issuer = {
    name: isHopper ? "GH100 A01 GSP BROM" : "GB100 A01 FSP BROM",
    key: deriveKey(pki.secret, `gpu/${name}`, "P-384"),
  };
  const firmwareId = labelled(`charter simulated GPU firmware/${arch}`, 48);
  const leafKey = deriveKey(pki.secret, `gpu/${name}/attestation`, curve);
  const [leafSerial, identitySerial] = [`gpu/${name}/leaf`, `gpu/${name}/identity`].map((label) =>
    serialOf(pki.secret, label),
  ) as [Buffer, Buffer];
  const { notBefore, notAfter } = pki;
  const fwid = der.sequence(der.objectId(SHA384), der.octets(firmwareId));
  const extension: readonly [string, Uint8Array] = isHopper
    ? [COMPOSITE_DEVICE_ID, der.sequence(der.integer(1), deviceKeyInfo(device.key), fwid)]
    : [DICE_TCB_INFO, der.sequence(der.primitive(0, Buffer.from("NVIDIA")), der.tagged(6, fwid))];
  const leaf = issueCertificate({
    issuer: device,
    subject: isHopper ? "GH100 A01 GSP FMC LF" : "GB100 A01 FSP FMC LF",
    key: leafKey,
    serial: leafSerial,
    notBefore,
    notAfter,
    extensions: [extension],
  });
  const identity = issueCertificate({
    issuer: pki.cas[2],
    subject: device.name,
    key: device.key,
    serial: identitySerial,
    notBefore,
    notAfter,
    ca: 0,
  });
  return {
    leafKey,
    firmwareId,
    leafSerial,
    identitySerial,
    certificates: toPem(leaf) + toPem(identity) + pki.chain,
  };
}

const deviceKeyInfo = (key: KeyObject): Buffer =>
  der.sequence(
    der.sequence(der.objectId("1.2.840.10045.2.1"), der.objectId("1.3.132.0.34")),
    der.bits(Buffer.concat([Buffer.from([4]), publicPoint(key)])),
  );
