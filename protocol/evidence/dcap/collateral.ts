import * as z from "zod/mini";

import { parseCertificate, type Certificate } from "../../der/certificate.ts";
import { parseCrl, type Crl } from "../../der/crl.ts";
import { splitPem } from "../../der/pem.ts";
import { CharterError } from "../../errors/CharterError.ts";
import { fromHex } from "../../words/hex.ts";
import { parseStrictJson } from "../../words/strictJson.ts";
import { qeIdentitySchema, tcbInfoSchema, type QeIdentity, type TcbInfo } from "./tcbSchemas.ts";

/** A signed JSON document of Intel's: exact bytes, signature, and the chain that signed it (signer first). */
export interface SignedDocument<T> {
  readonly bytes: Uint8Array;
  readonly signature: Uint8Array;
  readonly chain: readonly Certificate[];
  readonly content: T;
}

/** Everything that Intel publishes to judge a TDX or SGX quote by, parsed; nothing of it is trusted yet. */
export interface Collateral {
  readonly pckCrlChain: readonly Certificate[];
  readonly rootCaCrl: Crl;
  readonly pckCrl: Crl;
  readonly tcbInfo: SignedDocument<TcbInfo>;
  readonly qeIdentity: SignedDocument<QeIdentity>;
}

const text = (most: number) => z.string().check(z.maxLength(most));

/** The JSON form (that of Intel's quote verification library): chains as PEM, CRLs and signatures as hex. */
export const collateralSchema = z.strictObject({
  pck_crl_issuer_chain: text(65_536),
  root_ca_crl: text(1_048_576),
  pck_crl: text(8 * 1_048_576),
  tcb_info_issuer_chain: text(65_536),
  tcb_info: text(1_048_576),
  tcb_info_signature: z.string().check(z.length(128)),
  qe_identity_issuer_chain: text(65_536),
  qe_identity: text(65_536),
  qe_identity_signature: z.string().check(z.length(128)),
  /** Some tools add the PCK chain; the quote's own chain is what counts, so it is not read. */
  pck_certificate_chain: z.nullish(text(65_536)),
});
export type CollateralMessage = z.infer<typeof collateralSchema>;

/**
 * Parses collateral, once for many verifications. @throws CharterError `collateral/malformed` with what was expected.
 */
export function parseCollateral(json: unknown): Collateral {
  const message = collateralSchema.safeParse(json);
  if (!message.success) {
    throw new CharterError("collateral/malformed", "the collateral has another shape than expected", {
      issues: message.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`),
    });
  }
  const c = message.data;
  const chains = new Map<string, readonly Certificate[]>();
  /** Intel signs TCB info and QE identity by one chain: equal text is parsed once. */
  const chain = (text: string): readonly Certificate[] => {
    const parsed = chains.get(text) ?? chainOf(text);
    chains.set(text, parsed);
    return parsed;
  };
  return {
    pckCrlChain: part("pck_crl_issuer_chain", () => chain(c.pck_crl_issuer_chain)),
    rootCaCrl: part("root_ca_crl", () => parseCrl(hex(c.root_ca_crl))),
    pckCrl: part("pck_crl", () => parseCrl(hex(c.pck_crl))),
    tcbInfo: document(
      "tcb_info",
      c.tcb_info,
      c.tcb_info_signature,
      () => chain(c.tcb_info_issuer_chain),
      tcbInfoSchema,
    ),
    qeIdentity: document(
      "qe_identity",
      c.qe_identity,
      c.qe_identity_signature,
      () => chain(c.qe_identity_issuer_chain),
      qeIdentitySchema,
    ),
  };
}

/** PEM text → certificates, leaf first. */
export function chainOf(pem: string): Certificate[] {
  return splitPem(pem).map(parseCertificate);
}

const hex = (text: string): Uint8Array => fromHex(text.startsWith("0x") ? text : `0x${text}`);

function document<T>(
  name: string,
  text: string,
  signature: string,
  chain: () => readonly Certificate[],
  schema: z.ZodMiniType<T>,
): SignedDocument<T> {
  return part(name, () => {
    const content = schema.safeParse(parseStrictJson(text, name));
    if (!content.success) {
      const issue = content.error.issues[0];
      throw new CharterError(
        "json/malformed",
        `${issue?.path.join(".") ?? name}: ${issue?.message ?? "malformed"}`,
      );
    }
    return {
      bytes: new TextEncoder().encode(text),
      signature: hex(signature),
      chain: chain(),
      content: content.data,
    };
  });
}

function part<T>(name: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof CharterError)) throw error;
    throw new CharterError("collateral/malformed", `${name}: ${error.message}`, {
      part: name,
      ...error.details,
    });
  }
}
