import type { ContractTransactionResponse, JsonRpcProvider } from "ethers";

/** So that a refused call is mined as one, instead of failing when its gas is estimated; and to ask the chain less. */
export const GAS = {
  gasLimit: 5_000_000n,
  maxFeePerGas: 20_000_000_000n,
  maxPriorityFeePerGas: 1n,
} as const;

/** Mines it; true when it took effect, false when the contract refused it. */
export async function took(sent: Promise<ContractTransactionResponse>): Promise<boolean> {
  const { hash, provider } = await sent;
  // Not `wait`: it may begin to wait for a block just after the last one, and none comes by itself.
  for (;;) {
    const receipt = await provider.getTransactionReceipt(hash);
    if (receipt) return receipt.status === 1;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Mines it, or throws when it is refused. */
export async function mined(sent: Promise<ContractTransactionResponse>): Promise<void> {
  if (!(await took(sent))) throw new Error(`refused: ${(await sent).hash}`);
}

/** From here on a block per transaction, and time passes as told: a history of hours takes seconds. */
export async function takeOverTime(provider: JsonRpcProvider): Promise<void> {
  await provider.send("evm_setIntervalMining", [0]);
  await provider.send("evm_setAutomine", [true]);
}

export async function pass(provider: JsonRpcProvider, seconds: number): Promise<void> {
  await provider.send("evm_increaseTime", [seconds]);
  await provider.send("evm_mine", []);
}
