/**
 * What nodes say when they do not take a transaction. There is no code for it (all use -32000 and the like), so their
 * own texts decide. test/relayer/outbox/nodeTexts.test.ts has them per client, with the file of the client that says so.
 */
const TEXTS: readonly (readonly [SendRefusal, RegExp])[] = [
  ["known", /already ?known|known transaction|already ?imported|existing (tx|txn) with same hash/i],
  ["nonce-used", /(?<!authority )nonce (is )?too low|oldnonce/i],
  [
    "underpriced",
    /underpriced|replacementnotallowed|fee ?too ?low|could not replace existing tx|insufficient gas price to replace|below configured minimum gas price|below current base fee|less than block base fee|below minimum|replaced by transaction with higher tip/i,
  ],
  ["funds", /insufficient ?funds|insufficient balance for|upfront cost exceeds/i],
  [
    "never",
    /exceeds (the )?block gas limit|greater than the block gas limit|gas ?limit ?(is )?(too high|exceeded|reached)|max(imum)? transaction gas limit|gas limit cap exceeded|intrinsic ?gas|oversized ?data|rlptoolong|transaction too large|maxtxsizeexceeded|max initcode size exceeded|transaction type not (supported|activated)|not activated yet|notsupportedtxtype|invalid transaction type|invalid sender|invalid signature|invalid chain ?id|wrong chainid/i,
  ],
];

/**
 * - `known`: it has these bytes. `nonce-used`: something with this nonce is mined. Neither is news: the receipt tells.
 * - `underpriced`: it keeps what it has, or wants more; higher fees come after some blocks anyway.
 * - `funds`: the account cannot pay. `never`: it will not take these bytes, whatever happens. `other`: refused for itself.
 */
export type SendRefusal = "known" | "nonce-used" | "underpriced" | "funds" | "never" | "other";

export function classifySendRefusal(text: string): SendRefusal {
  return TEXTS.find(([, pattern]) => pattern.test(text))?.[0] ?? "other";
}
