import { keccak256, parseTransaction } from "viem";

import type { CharterError } from "../../../protocol/errors/CharterError.ts";
import type { Address, Bytes32, Hex } from "../../../protocol/words/hex.ts";
import type { Fees, OutboxChain, Receipt, SignerPosition } from "../../../relayer/outbox/seams.ts";

/** A chain in memory: takes signed bytes, mines when told, and forgets blocks when told. */
export class FakeChain implements OutboxChain {
  readonly startNonce: bigint;
  readonly sent: Hex[] = [];
  readonly pool = new Map<bigint, Hex>();
  /** Transactions by height; index 0 is block 1. */
  blocks: Hex[][] = [];
  confirmations = 2n;
  baseFee: Fees = { maxFeePerGas: 100n, maxPriorityFeePerGas: 10n };
  /** Fails the named method's calls with this error. */
  failing: { readonly [Method in keyof OutboxChain]?: CharterError } = {};
  /** Calls whose transaction reverts when it is mined. */
  readonly revertsOnChain = new Set<Hex>();

  constructor(startNonce = 0n) {
    this.startNonce = startNonce;
  }

  #check(method: keyof OutboxChain): void {
    const error = this.failing[method];
    if (error) throw error;
  }

  async simulate(): Promise<bigint> {
    this.#check("simulate");
    return 50_000n;
  }

  balanceWei = 10n ** 18n;

  async balance(): Promise<bigint> {
    this.#check("balance");
    return this.balanceWei;
  }

  async fees(): Promise<Fees> {
    return this.baseFee;
  }

  async position(_signer: Address): Promise<SignerPosition> {
    this.#check("position");
    const height = BigInt(this.blocks.length);
    return {
      newestBlock: height,
      finalBlock: height > this.confirmations ? height - this.confirmations : 0n,
      nonce: this.startNonce + BigInt(this.blocks.flat().length),
    };
  }

  async send(raw: Hex): Promise<void> {
    this.#check("send");
    this.sent.push(raw);
    const nonce = BigInt(parseTransaction(raw as `0x02${string}`).nonce ?? 0);
    if (nonce >= (await this.position("0x" as Address)).nonce) this.pool.set(nonce, raw);
  }

  async receipt(hash: Hex): Promise<Receipt | null> {
    for (const [index, block] of this.blocks.entries()) {
      const raw = block.find((each) => keccak256(each) === hash);
      if (raw === undefined) continue;
      const blockHash = keccak256(`0x${index.toString(16).padStart(4, "0")}${block.length}0`) as Bytes32;
      return { blockNumber: BigInt(index + 1), blockHash, success: !this.revertsOnChain.has(hash) };
    }
    return null;
  }

  /** Mines what follows on the chain's nonce, then `more` empty blocks. */
  mine(more = 0): void {
    const block: Hex[] = [];
    let next = this.startNonce + BigInt(this.blocks.flat().length);
    for (let raw = this.pool.get(next); raw !== undefined; raw = this.pool.get(++next)) {
      block.push(raw);
      this.pool.delete(next);
    }
    this.blocks.push(block);
    for (let i = 0; i < more; i++) this.blocks.push([]);
  }

  /** Somebody else uses the signer's key. */
  mineForeign(): void {
    this.pool.delete(this.startNonce + BigInt(this.blocks.flat().length));
    this.blocks.push([keccak256(`0xff${this.blocks.length.toString(16).padStart(4, "0")}`)]);
  }

  /** The last `depth` blocks never were; what they held is not in the pool any more. */
  reorg(depth: number): void {
    this.blocks = this.blocks.slice(0, this.blocks.length - depth);
  }

  nonces(): number[] {
    return this.blocks
      .flat()
      .flatMap((raw) => (raw.length > 66 ? [parseTransaction(raw as `0x02${string}`).nonce ?? 0] : []));
  }
}
