/**
 * What nodes say when they do not take a transaction. There is no code for it (all use -32000 and the like), so their
 * own texts decide:
 * - geth, Erigon, Reth: "already known", "nonce too low: next nonce 5, tx nonce 4", "replacement transaction
 *   underpriced", "transaction underpriced", "insufficient funds for gas * price + value"
 * - Nethermind: "AlreadyKnown", "OldNonce", "ReplacementNotAllowed", "FeeTooLow", "InsufficientFunds"
 * - Besu: "Known transaction", "Nonce too low", "Replacement transaction underpriced", "Gas price below configured
 *   minimum gas price", "Upfront cost exceeds account balance"
 * - anvil: "transaction already imported", "nonce too low", "Insufficient funds for gas * price + value"
 */
const TEXTS: readonly (readonly [SendRefusal, RegExp])[] = [
  ["known", /already known|alreadyknown|known transaction|already imported/i],
  ["nonce-used", /nonce too low|oldnonce|nonce is too low/i],
  ["underpriced", /underpriced|replacementnotallowed|feetoolow|below configured minimum gas price/i],
  ["funds", /insufficient ?funds|upfront cost exceeds/i],
];

/**
 * - `known`: it has these bytes. `nonce-used`: something with this nonce is mined. Neither is news: the receipt tells.
 * - `underpriced`: it keeps what it has, or wants more; higher fees come after some blocks anyway.
 * - `funds`: the account cannot pay. `other`: refused for itself.
 */
export type SendRefusal = "known" | "nonce-used" | "underpriced" | "funds" | "other";

export function classifySendRefusal(text: string): SendRefusal {
  return TEXTS.find(([, pattern]) => pattern.test(text))?.[0] ?? "other";
}
