import type { KmsAtHeads } from "./kmsAtHeads.ts";

interface Options {
  readonly kms: Pick<KmsAtHeads, "gatewayAppId">;
  readonly maxHeadAgeSeconds: number;
  readonly onFailed: (cause: unknown) => void;
}

/**
 * Which gateway app the chain names, read again after each change of the heads, so that no decision waits for it. It is
 * forgotten when it could not be read for as long as a head may be old: an empty id trusts no gateway.
 */
export class GatewayApp {
  readonly #options: Options;
  #known: { readonly id: string; readonly readAt: number } | undefined;
  #reading: Promise<void> | undefined;
  #isChanged = false;

  constructor(options: Options) {
    this.#options = options;
  }

  /** @param now unix seconds. */
  id(now: number): string {
    const isOfNow = this.#known !== undefined && now - this.#known.readAt <= this.#options.maxHeadAgeSeconds;
    return isOfNow ? (this.#known?.id ?? "") : "";
  }

  /** The heads have changed. Resolves once what they say has been read. */
  changed(): Promise<void> {
    this.#isChanged = true;
    this.#reading ??= this.#read().finally(() => (this.#reading = undefined));
    return this.#reading;
  }

  /** One reading at a time; what changes during one is read after it. */
  async #read(): Promise<void> {
    const { kms, onFailed } = this.#options;
    while (this.#isChanged) {
      this.#isChanged = false;
      try {
        const { id, newest } = await kms.gatewayAppId();
        this.#known = { id, readAt: newest.timestamp };
      } catch (cause) {
        onFailed(cause);
      }
    }
  }
}
