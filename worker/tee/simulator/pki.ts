import { chmodSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { z } from "zod";

import { CharterError } from "../../../protocol/errors/CharterError.ts";
import { issueCertificate, toPem, type Issuer } from "./certificate.ts";
import { deriveKey, labelled } from "./keys.ts";

const DAY = 86_400;

/** What is kept of a PKI: keys and CA certificates follow from it (certificates once made are kept, too). */
const pkiFileSchema = z.strictObject({
  version: z.literal(1),
  /** 32 random bytes, hex: every key is derived from it. */
  secret: z.string().regex(/^[0-9a-f]{64}$/),
  /** Unix seconds. */
  notBefore: z.number().int().nonnegative(),
  notAfter: z.number().int().positive(),
  /** PEM. */
  root: z.string(),
  platformCa: z.string(),
  signing: z.string(),
});
export type PkiFile = z.infer<typeof pkiFileSchema>;

/** An Intel-shaped PKI under a test root: root CA, PCK Platform CA, and the signer of TCB info and QE identity. */
export interface TestPki {
  readonly file: PkiFile;
  readonly secret: Uint8Array;
  readonly root: Issuer;
  readonly platformCa: Issuer;
  readonly signing: Issuer;
  /** PEM, leaf first, each ending in the root: the issuer chains of Intel's service. */
  readonly pckIssuerChain: string;
  readonly signingChain: string;
}

export interface TestPkiOptions {
  /** Unix seconds; default a day ago. */
  readonly notBefore?: number;
  /** Seconds that the certificates are valid for; default 30 years, as Intel's root. */
  readonly validitySeconds?: number;
  /** 32 bytes, for a PKI that can be made again; default random. */
  readonly secret?: Uint8Array;
}

/** Platform family that the simulated vendor publishes collateral for: 6 bytes, upper-case hex. */
export const SIMULATED_FMSPC = "F0CA57000000";

/** Makes a new PKI. */
export function createTestPki(options: TestPkiOptions = {}): TestPki {
  const notBefore = options.notBefore ?? Math.floor(Date.now() / 1000) - DAY;
  const notAfter = notBefore + (options.validitySeconds ?? 30 * 365 * DAY);
  const secret = options.secret ?? randomBytes(32);
  const issuers = issuersOf(secret);
  const issue = (issuer: Issuer, subject: Issuer, ca?: number): string =>
    toPem(
      issueCertificate({
        issuer,
        subject: subject.name,
        key: subject.key,
        serial: serialOf(secret, subject.name),
        notBefore,
        notAfter,
        ...(ca === undefined ? {} : { ca }),
      }),
    );
  const { root, platformCa, signing } = issuers;
  return fromFile({
    version: 1,
    secret: Buffer.from(secret).toString("hex"),
    notBefore,
    notAfter,
    root: issue(root, root, 1),
    platformCa: issue(root, platformCa, 0),
    signing: issue(root, signing),
  });
}

/** Serial number of a certificate: 20 bytes, positive, that follow from the PKI and the subject. */
export function serialOf(secret: Uint8Array, subject: string): Buffer {
  const serial = labelled(`${Buffer.from(secret).toString("hex")}/serial/${subject}`, 20);
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  return serial;
}

/** Reads `pki.json` of a simulator's directory. @throws CharterError `simulator/pki-invalid`. */
export function loadTestPki(dir: string): TestPki {
  const path = join(dir, "pki.json");
  try {
    return fromFile(pkiFileSchema.parse(JSON.parse(readFileSync(path, "utf8"))));
  } catch (cause) {
    throw new CharterError(
      "simulator/pki-invalid",
      "the simulator's directory must hold its pki.json",
      { path },
      { cause },
    );
  }
}

/**
 * The PKI of a directory, made when there is none; `root.pem` beside it is what verifiers are configured with. Two
 * processes that start at once agree on one PKI: the file appears whole, and only once.
 */
export function loadOrCreateTestPki(dir: string, options: TestPkiOptions = {}): TestPki {
  mkdirSync(dir, { recursive: true });
  const path = join(dir, "pki.json");
  const draft = join(dir, `pki.json.${process.pid}.${randomBytes(4).toString("hex")}`);
  writeFileSync(draft, `${JSON.stringify(createTestPki(options).file, null, 1)}\n`, { mode: 0o600 });
  try {
    linkSync(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  const pki = loadTestPki(dir);
  writeFileSync(join(dir, "root.pem"), pki.file.root);
  chmodSync(join(dir, "root.pem"), 0o644);
  return pki;
}

function issuersOf(secret: Uint8Array): Pick<TestPki, "root" | "platformCa" | "signing"> {
  const issuer = (name: string): Issuer => ({ name, key: deriveKey(secret, name) });
  return {
    root: issuer("Intel SGX Root CA"),
    platformCa: issuer("Intel SGX PCK Platform CA"),
    signing: issuer("Intel SGX TCB Signing"),
  };
}

function fromFile(file: PkiFile): TestPki {
  const secret = Buffer.from(file.secret, "hex");
  return {
    file,
    secret,
    ...issuersOf(secret),
    pckIssuerChain: file.platformCa + file.root,
    signingChain: file.signing + file.root,
  };
}
