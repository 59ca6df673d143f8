import { CharterError } from "../../protocol/errors/CharterError.ts";
import { DEVELOPMENT_CHAIN_IDS } from "../../protocol/policy/judge.ts";
import type { ComposeHash } from "../../protocol/words/hex.ts";
import type { EvidenceSource } from "./EvidenceSource.ts";
import { loadTestPki } from "./simulator/pki.ts";
import { simulatedPlatform } from "./simulator/platform.ts";
import { SimulatedTdx } from "./simulator/SimulatedTdx.ts";

/** Where evidence comes from. The simulator is the only source yet. */
export interface SourceConfig {
  /** Directory that holds the simulator's PKI. */
  readonly simulatorDir: string;
  /** Which simulated machine this is. */
  readonly platform: string;
}

/**
 * Opens the configured source of evidence for one TD.
 * @throws CharterError `tee/simulator-refused` on any chain id but development ones; `simulator/pki-invalid`.
 */
export function openSource(config: SourceConfig, chainId: number, composeHash?: ComposeHash): EvidenceSource {
  if (!DEVELOPMENT_CHAIN_IDS.includes(chainId)) {
    throw new CharterError("tee/simulator-refused", "simulated evidence is for development chains only", {
      expected: DEVELOPMENT_CHAIN_IDS,
      actual: chainId,
    });
  }
  const platform = simulatedPlatform(loadTestPki(config.simulatorDir), { name: config.platform });
  return new SimulatedTdx(platform, composeHash === undefined ? {} : { composeHash });
}
