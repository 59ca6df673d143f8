import type { Address } from "../../../protocol/words/hex.ts";
import { CliError } from "../CliError.ts";
import { ExitCode } from "../exitCodes.ts";

/** That a Safe acts, and what becomes of its transaction. */
export interface SafePlan {
  readonly safe: Address;
  /** The file that its owners pass around; null when it is exported for the Transaction Builder instead. */
  readonly file: string | null;
  readonly exportTo: string | null;
  readonly execute: boolean;
  /** Its place in the Safe's queue; null for the next. */
  readonly nonce: number | null;
}

export interface SafeGlobalOptions {
  readonly safe?: Address;
  readonly safeTx?: string;
  readonly safeNonce?: number;
  readonly export?: string;
  readonly execute?: boolean;
}

/** @returns null when no Safe is named. @throws CliError `cli/usage` for options that mean nothing together. */
export function safePlan({
  safe,
  safeTx,
  safeNonce,
  export: exportTo,
  execute,
}: SafeGlobalOptions): SafePlan | null {
  const usage = (message: string): CliError => new CliError(ExitCode.Usage, "cli/usage", message);
  if (safe === undefined) {
    if ([safeTx, safeNonce, exportTo, execute].every((option) => option === undefined)) return null;
    throw usage("expected --safe with --safe-tx, --safe-nonce, --export and --execute");
  }
  if (exportTo !== undefined && [safeTx, safeNonce, execute].some((option) => option !== undefined)) {
    throw usage("expected --export alone: signatures and nonces are the Transaction Builder's then");
  }
  return {
    safe,
    file: safeTx ?? null,
    exportTo: exportTo ?? null,
    execute: execute ?? false,
    nonce: safeNonce ?? null,
  };
}
