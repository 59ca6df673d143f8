import type { Eip1193Provider, default as ProtocolKit } from "@safe-global/protocol-kit";
import { BaseError, parseAbi, type PublicClient } from "viem";

import type { Address } from "../../../protocol/words/hex.ts";
import { CliError } from "../CliError.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exitCodes.ts";
import { asCliError } from "../failures.ts";
import { kitProvider, type Signer } from "./kitProvider.ts";

type Kit = ProtocolKit.default;
const versionAbi = parseAbi(["function VERSION() view returns (string)"]);

/** A Safe as it stands now. */
export interface ConnectedSafe {
  readonly kit: Kit;
  readonly address: Address;
  readonly version: string;
  readonly owners: readonly Address[];
  readonly threshold: number;
  /** Of the transaction that it would execute next. */
  readonly nonce: number;
}

/**
 * Opens a Safe with Safe's own kit. Whoever signs stays ours: the kit asks for it through a provider and sees no key.
 * @throws CliError `safe/not-a-safe`, `safe/version-unsupported`, `safe/not-connected`.
 */
export async function connectSafe(
  context: Context,
  address: Address,
  signer: Signer | null,
): Promise<ConnectedSafe> {
  const client = await context.client();
  const version = await versionOf(client, address);
  const kit = await open(context, address, kitProvider(client, signer));
  const [owners, threshold, nonce] = await Promise.all([kit.getOwners(), kit.getThreshold(), kit.getNonce()]);
  return {
    kit,
    address,
    version,
    owners: owners.map((owner) => owner.toLowerCase() as Address),
    threshold,
    nonce,
  };
}

/** The kit takes anything for a Safe of its default version, so it is asked here. Before 1.3.0 hashes bind no chain. */
async function versionOf(client: PublicClient, safe: Address): Promise<string> {
  let version: string;
  try {
    version = await client.readContract({ address: safe, abi: versionAbi, functionName: "VERSION" });
  } catch (error) {
    if (asCliError(error).exitCode === ExitCode.Unreachable) throw error;
    throw new CliError(ExitCode.Usage, "safe/not-a-safe", "expected a Safe at this address", { safe });
  }
  const [major = 0, minor = 0] = version.split(/[.+]/).map(Number);
  if (major !== 1 || !(minor >= 3)) {
    throw new CliError(
      ExitCode.Usage,
      "safe/version-unsupported",
      "expected a Safe of version 1.3.0 or later",
      {
        safe,
        version,
      },
    );
  }
  return version;
}

async function open(context: Context, safeAddress: Address, eip1193: Eip1193Provider): Promise<Kit> {
  // Loaded for those who have a Safe. Its types are of its CommonJS form, its code here of the ES form.
  const { default: loaded } = await import("@safe-global/protocol-kit");
  const kit = loaded as unknown as typeof ProtocolKit.default;
  const contractNetworks = context.safeContracts();
  try {
    return await kit.init({
      provider: eip1193,
      safeAddress,
      ...(contractNetworks === null ? {} : { contractNetworks }),
    });
  } catch (error) {
    if (error instanceof BaseError) throw error;
    throw new CliError(ExitCode.Usage, "safe/not-connected", "expected Safe's contracts on this chain", {
      message: error instanceof Error ? error.message : String(error),
      hint: "--safe-contracts or CHARTER_SAFE_CONTRACTS names a file with their addresses",
    });
  }
}
