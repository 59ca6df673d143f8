import { CliError } from "./CliError.ts";
import { readText } from "./context.ts";
import { ExitCode } from "./exitCodes.ts";

/** JSON of a file. @throws CliError `cli/not-json`, and what `readText` throws. */
export function readJson(path: string): unknown {
  try {
    return JSON.parse(readText(path)) as unknown;
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError(ExitCode.Usage, "cli/not-json", `expected JSON in ${path}`, { path });
  }
}
