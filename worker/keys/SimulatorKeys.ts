import { CharterError } from "../../protocol/errors/CharterError.ts";
import { DEVELOPMENT_CHAIN_IDS } from "../../protocol/policy/judge.ts";
import type { Address } from "../../protocol/words/hex.ts";
import { loadTestPki } from "../tee/simulator/pki.ts";
import { deriveAppKey } from "./deriveAppKey.ts";
import type { KeySource, KeyUse } from "./KeySource.ts";

/** The simulated vendor's keys: whoever reads the simulator's directory has them, so development chains only. */
export class SimulatorKeys implements KeySource {
  readonly name = "simulator";
  readonly isShared = true;
  readonly #secret: Uint8Array;

  /** @throws CharterError `keys/simulator-refused` on any other chain id; `simulator/pki-invalid`. */
  constructor(simulatorDir: string, chainId: number) {
    if (!DEVELOPMENT_CHAIN_IDS.includes(chainId)) {
      throw new CharterError("keys/simulator-refused", "simulated keys are for development chains only", {
        expected: DEVELOPMENT_CHAIN_IDS,
        actual: chainId,
      });
    }
    this.#secret = loadTestPki(simulatorDir).secret;
  }

  key(app: Address, use: KeyUse): Promise<Uint8Array> {
    return Promise.resolve(deriveAppKey(this.#secret, app, use));
  }
}
