import type { Fees } from "./seams.ts";

/** What is offered at most, whatever the market asks; wei per unit of gas. */
export interface FeeCaps {
  readonly maxFeePerGasWei: bigint;
  readonly maxPriorityFeePerGasWei: bigint;
}

const max = (a: bigint, b: bigint) => (a > b ? a : b);
const min = (a: bigint, b: bigint) => (a < b ? a : b);

/** Fees within the caps: the priority fee never exceeds the whole. */
export function capped(fees: Fees, caps: FeeCaps): Fees {
  const maxFeePerGas = min(fees.maxFeePerGas, caps.maxFeePerGasWei);
  const maxPriorityFeePerGas = min(fees.maxPriorityFeePerGas, caps.maxPriorityFeePerGasWei);
  return { maxFeePerGas, maxPriorityFeePerGas: min(maxPriorityFeePerGas, maxFeePerGas) };
}

/** At least an eighth more, rounded up: nodes refuse a replacement that raises either fee by less than 10 %. */
const raised = (fee: bigint) => (fee * 9n + 7n) / 8n + 1n;

/**
 * Fees of a replacement: both raised, and not below what is asked now as far as the caps allow. Null when raising would
 * exceed one of them.
 */
export function bumped(old: Fees, now: Fees, caps: FeeCaps): Fees | null {
  const maxFeePerGas = max(raised(old.maxFeePerGas), now.maxFeePerGas);
  const maxPriorityFeePerGas = max(
    raised(old.maxPriorityFeePerGas),
    min(now.maxPriorityFeePerGas, caps.maxPriorityFeePerGasWei),
  );
  if (maxFeePerGas > caps.maxFeePerGasWei || maxPriorityFeePerGas > caps.maxPriorityFeePerGasWei) return null;
  return { maxFeePerGas, maxPriorityFeePerGas: min(maxPriorityFeePerGas, maxFeePerGas) };
}
