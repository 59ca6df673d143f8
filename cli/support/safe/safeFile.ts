import { existsSync, writeFileSync } from "node:fs";

import { recoverAddress } from "viem";
import { z } from "zod";

import { parseStrictJson } from "../../../protocol/words/strictJson.ts";
import { addressSchema, bytes32Schema } from "../../../protocol/session/messages.ts";
import type { Address, Hex } from "../../../protocol/words/hex.ts";
import { CliError } from "../CliError.ts";
import { readText } from "../context.ts";
import { ExitCode } from "../exitCodes.ts";
import { safeTransactionSchema, safeTxHash } from "./safeTransaction.ts";

const safeFileSchema = z.strictObject({
  safe: addressSchema,
  chainId: z.number().int().positive(),
  transaction: safeTransactionSchema,
  safeTxHash: bytes32Schema,
  /** By owner: EIP-712 signatures of the hash, 65 bytes. */
  signatures: z.record(
    addressSchema,
    z
      .string()
      .regex(/^0x[0-9a-f]{128}(?:1b|1c)$/, "expected an EIP-712 signature of 65 bytes")
      .transform((text) => text as Hex),
  ),
});

/** What a Safe's owners pass around until enough of them have signed. */
export type SafeFile = Readonly<z.infer<typeof safeFileSchema>>;

/** What a file must be about: the chain at hand, and the Safe that was named, if one was. */
export interface Expected {
  readonly chainId: number;
  readonly safe: Address | null;
}

/**
 * Reads a file that somebody passed on. Nothing in it is believed: hash and signers are computed anew.
 * @throws CliError `safe/file-malformed`, `safe/wrong-chain`, `safe/wrong-safe`, `safe/hash-mismatch`, `safe/signature-invalid`.
 */
export async function readSafeFile(path: string, { chainId, safe }: Expected): Promise<SafeFile> {
  const file = parse(readText(path), path);
  if (file.chainId !== chainId) {
    throw new CliError(ExitCode.Refused, "safe/wrong-chain", "the file is for another chain", {
      expected: chainId,
      actual: file.chainId,
    });
  }
  if (safe !== null && file.safe !== safe) {
    throw new CliError(ExitCode.Refused, "safe/wrong-safe", "the file is for another Safe", {
      expected: safe,
      actual: file.safe,
    });
  }
  const hash = safeTxHash(chainId, file.safe, file.transaction);
  if (file.safeTxHash !== hash) {
    throw new CliError(ExitCode.Refused, "safe/hash-mismatch", "the file names another hash than its own", {
      expected: hash,
      actual: file.safeTxHash,
    });
  }
  for (const [owner, signature] of Object.entries(file.signatures)) {
    const signer = await recoverAddress({ hash, signature }).catch(() => null);
    if (signer?.toLowerCase() !== owner) {
      throw new CliError(ExitCode.Refused, "safe/signature-invalid", "a signature is by somebody else", {
        expected: owner,
        actual: signer,
      });
    }
  }
  return file;
}

export const safeFileExists = (path: string): boolean => existsSync(path);

export const writeSafeFile = (path: string, file: SafeFile): void =>
  writeFileSync(path, `${JSON.stringify(file, null, 2)}\n`);

/** The same file with one signature more. */
export const withSignature = (file: SafeFile, owner: Address, signature: Hex): SafeFile => ({
  ...file,
  signatures: { ...file.signatures, [owner]: signature },
});

function parse(text: string, path: string): SafeFile {
  const malformed = (issues: readonly string[]): CliError =>
    new CliError(ExitCode.Usage, "safe/file-malformed", "expected a Safe transaction's file", {
      path,
      issues,
    });
  let json: unknown;
  try {
    json = parseStrictJson(text, "file");
  } catch {
    throw malformed(["expected JSON, each key once"]);
  }
  const parsed = safeFileSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw malformed(
    parsed.error.issues.map(({ path: at, message }) => `${at.join(".") || "file"}: ${message}`),
  );
}
