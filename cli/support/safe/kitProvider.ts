import type { Eip1193Provider } from "@safe-global/protocol-kit";
import type { Account, Address, Hex, PublicClient, TypedDataDefinition, WalletClient } from "viem";

import { CliError } from "../CliError.ts";
import { ExitCode } from "../exitCodes.ts";

export interface Signer {
  readonly wallet: WalletClient;
  readonly account: Account;
}

/** What Safe's kit asks for an account: our node answers what it reads, our account signs and sends. */
export function kitProvider(client: PublicClient, signer: Signer | null): Eip1193Provider {
  return {
    request: async ({ method, params }) => {
      if (method === "eth_accounts") return signer === null ? [] : [signer.account.address];
      if (method !== "eth_signTypedData_v4" && method !== "eth_sendTransaction") {
        return (client.request as (request: { method: string; params?: unknown }) => Promise<unknown>)({
          method,
          ...(params === undefined ? {} : { params }),
        });
      }
      if (signer === null) {
        throw new CliError(ExitCode.Usage, "cli/not-configured", "expected --key-file or CHARTER_KEY");
      }
      const { account, wallet } = signer;
      if (method === "eth_signTypedData_v4") {
        const [, typedData] = params as readonly [Address, string];
        return wallet.signTypedData({ ...(JSON.parse(typedData) as TypedDataDefinition), account });
      }
      const [{ to, data }] = params as readonly [{ to: Address; data: Hex }];
      return wallet.sendTransaction({ account, chain: client.chain, to, data });
    },
  };
}
