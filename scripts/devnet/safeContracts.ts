import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import {
  createPublicClient,
  createWalletClient,
  encodeFunctionData,
  http,
  parseEventLogs,
  type Abi,
  type Hex,
} from "viem";
import { privateKeyToAccount } from "viem/accounts";

import type { Address } from "../../protocol/words/hex.ts";
import type { DevnetAccount } from "./accounts.ts";

const ARTIFACTS = new URL(
  "../../node_modules/@safe-global/safe-smart-account/build/artifacts/contracts/",
  import.meta.url,
);
const CONTRACTS = {
  safeSingletonAddress: "Safe.sol/Safe",
  safeProxyFactoryAddress: "proxies/SafeProxyFactory.sol/SafeProxyFactory",
  multiSendAddress: "libraries/MultiSend.sol/MultiSend",
  multiSendCallOnlyAddress: "libraries/MultiSendCallOnly.sol/MultiSendCallOnly",
  fallbackHandlerAddress: "handler/CompatibilityFallbackHandler.sol/CompatibilityFallbackHandler",
  signMessageLibAddress: "libraries/SignMessageLib.sol/SignMessageLib",
  createCallAddress: "libraries/CreateCall.sol/CreateCall",
  simulateTxAccessorAddress: "accessors/SimulateTxAccessor.sol/SimulateTxAccessor",
} as const;

export type SafeAddresses = Readonly<Record<keyof typeof CONTRACTS, Address>>;

/** Safe's own contracts, version 1.5.0, as their package ships them, on a development chain. */
export interface SafeContracts {
  readonly addresses: SafeAddresses;
  readonly createSafe: (owners: readonly Address[], threshold: number) => Promise<Address>;
}

export async function deploySafeContracts(rpcUrl: string, payer: DevnetAccount): Promise<SafeContracts> {
  const account = privateKeyToAccount(payer.key);
  const client = createPublicClient({ transport: http(rpcUrl), cacheTime: 0, pollingInterval: 50 });
  const wallet = createWalletClient({ account, transport: http(rpcUrl) });
  const mined = async (hash: Hex) => {
    const receipt = await client.waitForTransactionReceipt({ hash });
    if (receipt.status !== "success") throw new Error(`reverted: ${hash}`);
    return receipt;
  };
  const deployed: [string, Address][] = [];
  for (const [name, path] of Object.entries(CONTRACTS)) {
    const { abi, bytecode } = artifact(path);
    const receipt = await mined(await wallet.deployContract({ chain: null, abi, bytecode }));
    deployed.push([name, receipt.contractAddress?.toLowerCase() as Address]);
  }
  const addresses = Object.fromEntries(deployed) as SafeAddresses;
  const factory = artifact(CONTRACTS.safeProxyFactoryAddress);
  let salt = 0n;
  return {
    addresses,
    createSafe: async (owners, threshold) => {
      const nobody = `0x${"00".repeat(20)}`;
      const setup = encodeFunctionData({
        abi: artifact(CONTRACTS.safeSingletonAddress).abi,
        functionName: "setup",
        args: [owners, BigInt(threshold), nobody, "0x", addresses.fallbackHandlerAddress, nobody, 0n, nobody],
      });
      const receipt = await mined(
        await wallet.writeContract({
          chain: null,
          address: addresses.safeProxyFactoryAddress,
          abi: factory.abi,
          functionName: "createProxyWithNonce",
          args: [addresses.safeSingletonAddress, setup, salt++],
        }),
      );
      const [created] = parseEventLogs({ abi: factory.abi, eventName: "ProxyCreation", logs: receipt.logs });
      return (created?.args as unknown as { proxy: Address }).proxy.toLowerCase() as Address;
    },
  };
}

const artifact = (path: string): { abi: Abi; bytecode: Hex } =>
  JSON.parse(readFileSync(fileURLToPath(new URL(`${path}.json`, ARTIFACTS)), "utf8")) as {
    abi: Abi;
    bytecode: Hex;
  };
