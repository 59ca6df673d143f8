import { nodeCrypto } from "../../../protocol/crypto/node.ts";
import {
  EvidenceError,
  parseCollateral,
  testRootFromPem,
  verifyTdx,
  type TdxVerification,
} from "../../../protocol/evidence/index.ts";
import { fromHex } from "../../../protocol/words/hex.ts";
import {
  issueCollateral,
  type CollateralOptions,
  type IssuedCollateral,
} from "../../../worker/tee/simulator/collateral.ts";
import { signRaw } from "../../../worker/tee/simulator/keys.ts";
import { createTestPki, type TestPki } from "../../../worker/tee/simulator/pki.ts";
import { simulatedPlatform, type SimulatedPlatform } from "../../../worker/tee/simulator/platform.ts";
import { SimulatedTdx, type SimulatedTdxOptions } from "../../../worker/tee/simulator/SimulatedTdx.ts";
import { layoutOf, resignedBody, resignedQe } from "./dcap/layout.ts";

/** When simulated evidence is judged. */
export const AT = 1_800_000_000;

/** One vendor and one machine for a whole test file; keys follow from the secret, so runs are alike. */
export const pki: TestPki = createTestPki({ notBefore: AT - 1000, secret: new Uint8Array(32).fill(7) });
export const platform: SimulatedPlatform = simulatedPlatform(pki, { name: "one" });
export const root = testRootFromPem(pki.file.root);

export const issued = (options: Partial<CollateralOptions> = {}): IssuedCollateral =>
  issueCollateral(pki, { at: AT, ...options });

export async function quoteOf(options: SimulatedTdxOptions = {}, on = platform): Promise<Uint8Array> {
  const { quote } = await new SimulatedTdx(on, options).quote(new Uint8Array(64).fill(5));
  return fromHex(quote);
}

export const verify = (
  quote: Uint8Array,
  collateral: unknown = issued(),
  at = AT + 1,
  roots = [root],
): Promise<TdxVerification> =>
  verifyTdx(quote, { collateral: parseCollateral(collateral), at, crypto: nodeCrypto, roots });

/** Name of the check that refuses; "none" when none does. */
export async function failedCheck(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return "none";
  } catch (error) {
    if (error instanceof EvidenceError) return error.check;
    throw error;
  }
}

/** Signs TCB info or QE identity anew after a change: what only the vendor could do. */
export function reissued(
  which: "tcb_info" | "qe_identity",
  change: (document: Record<string, unknown>) => void,
  collateral = issued(),
): IssuedCollateral {
  const document = JSON.parse(collateral[which]) as Record<string, unknown>;
  change(document);
  const text = JSON.stringify(document);
  const signature = signRaw(pki.signing.key, Buffer.from(text)).toString("hex");
  return { ...collateral, [which]: text, [`${which}_signature`]: signature };
}

/** Offsets in the simulator's TDX quotes, some fields of the TD report among them. */
export const Offset = {
  ...layoutOf("tdx4"),
  mrSignerSeam: 48 + 64,
  seamAttributes: 48 + 112,
  tdAttributes: 48 + 120,
  xfam: 48 + 128,
} as const;

/** A copy with some bytes replaced. */
export function patched(
  quote: Uint8Array,
  offset: number,
  bytes: Uint8Array | readonly number[],
): Uint8Array {
  const copy = Uint8Array.from(quote);
  copy.set(bytes, offset);
  return copy;
}

/** The same, signed anew by the attestation key: a TD that really has these bytes. */
export const patchedBody = (quote: Uint8Array, offset: number, bytes: readonly number[]): Uint8Array =>
  resignedBody("tdx4", quote, offset, bytes, platform.attestationKey);

/** The same for the QE report, signed anew by the PCK: a quoting enclave that really is so. */
export const patchedQeReport = (quote: Uint8Array, offset: number, bytes: readonly number[]): Uint8Array =>
  resignedQe("tdx4", quote, offset, bytes, platform.pckKey);
