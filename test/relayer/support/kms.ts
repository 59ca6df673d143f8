import { readFileSync } from "node:fs";

import { zeroAddress } from "viem";

import { dstackKmsAbi } from "../../../protocol/abi/dstackKms.ts";
import type { Address, Hex } from "../../../protocol/words/hex.ts";
import type { Stack } from "./stack.ts";

/** A KMS contract of an owner's own, as an operator who runs dstack has one: the image is trusted, the app registered. */
export async function deployKms(
  { wallet, client, deployment }: Stack,
  image: Hex,
  app: Address,
): Promise<Address> {
  const path = new URL("../../../artifacts/contracts/compat/DstackKms.sol/DstackKms.json", import.meta.url);
  const { bytecode } = JSON.parse(readFileSync(path, "utf8")) as { bytecode: Hex };
  const [account, chain] = [wallet.account ?? null, null];
  const owner = wallet.account?.address ?? zeroAddress;
  const mined = async (hash: Hex) => client.waitForTransactionReceipt({ hash, pollingInterval: 100 });
  const { contractAddress } = await mined(
    await wallet.deployContract({
      abi: dstackKmsAbi,
      bytecode,
      args: [owner, deployment.appRegistry],
      account,
      chain,
    }),
  );
  if (!contractAddress) throw new Error("no contract");
  const kms = { address: contractAddress, abi: dstackKmsAbi, account, chain } as const;
  await mined(await wallet.writeContract({ ...kms, functionName: "addOsImageHash", args: [image] }));
  await mined(await wallet.writeContract({ ...kms, functionName: "registerApp", args: [app] }));
  return contractAddress.toLowerCase() as Address;
}
