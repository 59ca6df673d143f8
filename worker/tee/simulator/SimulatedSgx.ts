import type { KeyObject } from "node:crypto";

import { labelled } from "./keys.ts";
import type { SimulatedPlatform } from "./platform.ts";
import { makeSgxQuote } from "./quote.ts";

export interface SimulatedSgxOptions {
  /** Quote format: 3 (the default) or 4. */
  readonly version?: 3 | 4;
  /** Low byte of the attributes' flags; default INIT and MODE64BIT. */
  readonly flags?: number;
  /** Signs quotes by a key that the quoting enclave did not vouch for. */
  readonly signingKey?: KeyObject;
}

const INIT_AND_MODE64 = 0x05;

/** Measurements of the one simulated enclave. */
export const ENCLAVE = {
  mrEnclave: labelled("charter simulated enclave", 32),
  mrSigner: labelled("charter simulated enclave signer", 32),
  isvProdId: 7,
  isvSvn: 3,
} as const;

/** One simulated enclave on a simulated platform: quotes over 64 bytes of report data. */
export class SimulatedSgx {
  readonly #platform: SimulatedPlatform;
  readonly #options: SimulatedSgxOptions;

  constructor(platform: SimulatedPlatform, options: SimulatedSgxOptions = {}) {
    this.#platform = platform;
    this.#options = options;
  }

  quote(reportData: Uint8Array): Uint8Array {
    const { version = 3, flags = INIT_AND_MODE64, signingKey } = this.#options;
    return makeSgxQuote(
      this.#platform,
      { ...ENCLAVE, flags, reportData },
      { version, ...(signingKey ? { signingKey } : {}) },
    );
  }
}
