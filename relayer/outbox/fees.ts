import type { Fees } from "./seams.ts";

const max = (a: bigint, b: bigint) => (a > b ? a : b);
const min = (a: bigint, b: bigint) => (a < b ? a : b);

/** Fees within the cap: the priority fee never exceeds the whole. */
export function capped(fees: Fees, capWei: bigint): Fees {
  const maxFeePerGas = min(fees.maxFeePerGas, capWei);
  return { maxFeePerGas, maxPriorityFeePerGas: min(fees.maxPriorityFeePerGas, maxFeePerGas) };
}

/** At least an eighth more, rounded up: nodes refuse a replacement that raises either fee by less than 10 %. */
const raised = (fee: bigint) => (fee * 9n + 7n) / 8n + 1n;

/** Fees of a replacement: raised, and not below what is asked now. Null when that would exceed the cap. */
export function bumped(old: Fees, now: Fees, capWei: bigint): Fees | null {
  const maxFeePerGas = max(raised(old.maxFeePerGas), now.maxFeePerGas);
  const maxPriorityFeePerGas = max(raised(old.maxPriorityFeePerGas), now.maxPriorityFeePerGas);
  if (maxFeePerGas > capWei) return null;
  return { maxFeePerGas, maxPriorityFeePerGas: min(maxPriorityFeePerGas, maxFeePerGas) };
}
