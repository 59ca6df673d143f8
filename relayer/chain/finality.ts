/** When a block counts as final: the node's own word for it, or a number of blocks on top. */
export type Finality = "finalized" | "safe" | number;
