import type { Anvil } from "../../test/support/anvil.ts";

interface Header {
  readonly number: string;
}

const LOOK_MS = 10;

/** When the chain began to name a block, by looking all the time. */
export class BlockTimes {
  readonly #anvil: Anvil;
  readonly #tag: "latest" | "finalized";
  readonly #seen = new Map<bigint, number>();
  #isOver = false;
  #done: Promise<void>;

  constructor(anvil: Anvil, tag: "latest" | "finalized") {
    this.#anvil = anvil;
    this.#tag = tag;
    this.#done = this.#look();
  }

  /**
   * Milliseconds (performance.now) of the last look that did not show the block yet: so what is measured from here is
   * rather too long than too short.
   */
  async before(block: bigint): Promise<number> {
    for (;;) {
      const at = this.#seen.get(block);
      if (at !== undefined) return at;
      await new Promise((done) => setTimeout(done, LOOK_MS));
    }
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#done;
  }

  async #look(): Promise<void> {
    let newest: bigint | undefined;
    while (!this.#isOver) {
      const asked = performance.now();
      const { number } = await this.#anvil.rpc<Header>("eth_getBlockByNumber", this.#tag, false);
      const block = BigInt(number);
      for (let at = (newest ?? block - 1n) + 1n; at <= block; at++) this.#seen.set(at, this.#last);
      newest = block;
      this.#last = asked;
      await new Promise((done) => setTimeout(done, LOOK_MS));
    }
  }

  #last = performance.now();
}
