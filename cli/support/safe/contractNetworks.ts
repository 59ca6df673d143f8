import { z } from "zod";

import { addressSchema } from "../../../protocol/session/messages.ts";
import { CliError } from "../CliError.ts";
import { ExitCode } from "../exitCodes.ts";

/** The kit's own shape: addresses of Safe's contracts, by chain id. */
const networksSchema = z.record(
  z.string().regex(/^[1-9]\d*$/, "expected a chain id"),
  z.strictObject({
    safeSingletonAddress: addressSchema,
    safeProxyFactoryAddress: addressSchema,
    multiSendAddress: addressSchema,
    multiSendCallOnlyAddress: addressSchema,
    fallbackHandlerAddress: addressSchema,
    signMessageLibAddress: addressSchema,
    createCallAddress: addressSchema,
    simulateTxAccessorAddress: addressSchema,
  }),
);

export type ContractNetworks = z.infer<typeof networksSchema>;

/** Where Safe's contracts stand on chains that the kit does not know. @throws CliError `safe/contracts-malformed`. */
export function parseContractNetworks(text: string): ContractNetworks {
  const malformed = (issues: readonly string[]): CliError =>
    new CliError(
      ExitCode.Usage,
      "safe/contracts-malformed",
      "expected the addresses of Safe's contracts by chain id",
      { issues },
    );
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw malformed(["expected JSON"]);
  }
  const parsed = networksSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw malformed(
    parsed.error.issues.map(({ path: at, message }) => `${at.join(".") || "file"}: ${message}`),
  );
}
