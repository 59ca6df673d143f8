import hre from "hardhat";
import { createPublicClient, createWalletClient, http, type Abi, type Hex } from "viem";
import { privateKeyToAccount } from "viem/accounts";

import type { Address } from "../../../protocol/words/hex.ts";
import { devnetAccounts } from "../../../scripts/devnet/accounts.ts";

/** A gateway that takes one call, byte for byte: the makers' own verify proofs that take a prover minutes. */
export async function deployGateway(rpcUrl: string): Promise<{ address: Address; abi: Abi }> {
  const { abi, bytecode } = await hre.artifacts.readArtifact("GatewayDouble");
  const wallet = createWalletClient({
    account: privateKeyToAccount(devnetAccounts.deployer.key),
    transport: http(rpcUrl),
  });
  const client = createPublicClient({ transport: http(rpcUrl), pollingInterval: 50 });
  const hash = await wallet.deployContract({ abi: abi as Abi, bytecode: bytecode as Hex, chain: null });
  const { contractAddress } = await client.waitForTransactionReceipt({ hash });
  return { address: (contractAddress ?? "").toLowerCase() as Address, abi: abi as Abi };
}
