import type { Approvals } from "./approvals.ts";
import type { ConnectedSafe } from "./connectSafe.ts";
import type { SafeFile } from "./safeFile.ts";

/** Where a transaction stands, for people. */
export function fileText(safe: ConnectedSafe, file: SafeFile, approvals: Approvals): string {
  const { signed, approved, missing } = approvals;
  const all = (owners: readonly string[]): string => (owners.length === 0 ? "nobody" : owners.join(", "));
  return [
    `safe          ${safe.address} (version ${safe.version})`,
    `nonce         ${file.transaction.nonce} (${placeText(file.transaction.nonce, safe.nonce)})`,
    `hash          ${file.safeTxHash}`,
    `signed        ${all(signed)}`,
    ...(approved.length === 0 ? [] : [`on chain      ${all(approved)}`]),
    `not yet       ${all(missing)}`,
    `needed        ${safe.threshold} of ${safe.owners.length} owners${approvals.isEnough ? ": enough" : ""}`,
  ].join("\n");
}

const placeText = (nonce: number, next: number): string =>
  nonce < next ? "already used" : nonce === next ? "next" : `after ${nonce - next} more`;
