/** What may go, at one moment. */
export interface Retention {
  /** Days that rows which are over are kept; 0: for good. */
  readonly keepDays: number;
  /** Unix seconds. */
  readonly now: number;
}

export const DAY_SECONDS = 86_400;

/**
 * Blocks below the final one that nobody asks for any more: twice as far back as any evidence is judged (EIP-2935, 8,191
 * blocks: judgeEvidence.ts, AttestationLedger), so that a relayer or a signer whose node is as far behind still refuses it.
 */
export const FORGOTTEN_BLOCKS = 16_382;

/** How long a proof may count on the chain, and a leaf be claimed, after its verdict was posted (MAX_VALIDITY of the ledger). */
export const CLAIM_SECONDS = 7 * DAY_SECONDS;
