import { CharterError } from "../../protocol/errors/CharterError.ts";
import type { ExitCode } from "./exitCodes.ts";

/** An error that knows its exit code. */
export class CliError extends CharterError {
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, code: string, message: string, details: Record<string, unknown> = {}) {
    super(code, message, details);
    this.name = "CliError";
    this.exitCode = exitCode;
  }
}
