import { isError, type ContractTransactionResponse, type JsonRpcProvider } from "ethers";

/** So that a refused call is mined as one, instead of failing when its gas is estimated; and to ask the chain less. */
export const GAS = {
  gasLimit: 5_000_000n,
  maxFeePerGas: 20_000_000_000n,
  maxPriorityFeePerGas: 1n,
} as const;

/** Mines it; true when it took effect, false when the contract refused it. */
export async function took(sent: Promise<ContractTransactionResponse>): Promise<boolean> {
  const response = await sent;
  try {
    await response.wait();
    return true;
  } catch (error) {
    if (isError(error, "CALL_EXCEPTION")) return false;
    throw error;
  }
}

/** Mines it, or throws what it was refused with. */
export async function mined(sent: Promise<ContractTransactionResponse>): Promise<void> {
  await (await sent).wait();
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
