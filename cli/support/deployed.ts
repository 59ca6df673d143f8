import type { Deployment } from "../../protocol/deployment/deployment.ts";
import type { Address } from "../../protocol/words/hex.ts";
import { CliError } from "./CliError.ts";
import type { Context } from "./context.ts";
import { ExitCode } from "./exitCodes.ts";

type Optional =
  "dcapCollateral" | "dcapVerifier" | "committeeDisputes" | "zkVerifier" | "sp1Adapter" | "riscZeroAdapter";

/** Address of a contract that not every deployment has. @throws CliError `cli/not-deployed`. */
export function deployed(context: Context, name: Optional & keyof Deployment): Address {
  const address = context.deployment()[name];
  if (address !== undefined) return address;
  throw new CliError(ExitCode.Usage, "cli/not-deployed", "expected a deployment that has this contract", {
    contract: name,
  });
}
