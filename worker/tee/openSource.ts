import { CharterError } from "../../protocol/errors/CharterError.ts";
import { gpuEvidenceDigest } from "../../protocol/evidence/gpu/gpuEvidence.ts";
import { DEVELOPMENT_CHAIN_IDS } from "../../protocol/policy/judge.ts";
import { fromHex } from "../../protocol/words/hex.ts";
import type { BoundBoot, EvidenceSource } from "./EvidenceSource.ts";
import { SimulatedGpu } from "./simulator/gpu/SimulatedGpu.ts";
import { SimulatedNitro } from "./simulator/nitro/SimulatedNitro.ts";
import { NitroSource } from "./simulator/nitro/NitroSource.ts";
import { loadTestPki, type TestPki } from "./simulator/pki.ts";
import { simulatedPlatform } from "./simulator/platform.ts";
import { SgxSource } from "./simulator/SgxSource.ts";
import { SimulatedTdx } from "./simulator/SimulatedTdx.ts";
import { loadOrCreateAmdPki } from "./simulator/snp/amdPkiFile.ts";
import { SimulatedSnp } from "./simulator/snp/SimulatedSnp.ts";
import { SnpSource } from "./simulator/snp/SnpSource.ts";
import { gpuPkiOf, nitroPkiOf } from "./simulator/vendorPkis.ts";

/** Kinds of TEE that can be simulated. */
export const SIMULATED_TEES = ["tdx", "sgx", "snp", "nitro"] as const;
export type SimulatedTee = (typeof SIMULATED_TEES)[number];

/** Where simulated evidence comes from. */
export interface SourceConfig {
  /** Directory that holds the simulator's PKI. */
  readonly simulatorDir: string;
  /** Which simulated machine this is. */
  readonly platform: string;
  /** What it is; default a machine with TDX. */
  readonly tee?: SimulatedTee | undefined;
  /** Whether it has a GPU. */
  readonly gpu?: boolean | undefined;
}

/**
 * Opens the simulator's source of evidence for one guest; without `boot` for the machine itself.
 * @throws CharterError `tee/simulator-refused` on any chain id but development ones; `simulator/pki-invalid`.
 */
export function openSource(config: SourceConfig, chainId: number, boot?: BoundBoot): EvidenceSource {
  if (!DEVELOPMENT_CHAIN_IDS.includes(chainId)) {
    throw new CharterError("tee/simulator-refused", "simulated evidence is for development chains only", {
      expected: DEVELOPMENT_CHAIN_IDS,
      actual: chainId,
    });
  }
  const pki = loadTestPki(config.simulatorDir);
  const source = cpuSource(config, pki, boot);
  return config.gpu === true ? withGpu(source, config, pki) : source;
}

function cpuSource(
  { simulatorDir, platform: name, tee = "tdx" }: SourceConfig,
  pki: TestPki,
  boot: BoundBoot | undefined,
): EvidenceSource {
  switch (tee) {
    case "tdx":
      return new SimulatedTdx(
        simulatedPlatform(pki, { name }),
        boot === undefined ? {} : { composeHash: boot.composeHash },
      );
    case "sgx":
      return new SgxSource(simulatedPlatform(pki, { name }));
    case "snp": {
      const amd = loadOrCreateAmdPki(simulatorDir, { notBefore: pki.file.notBefore });
      return new SnpSource(new SimulatedSnp(amd, { name }), boot);
    }
    case "nitro":
      return new NitroSource(() => {
        const at = Math.floor(Date.now() / 1_000);
        return new SimulatedNitro(nitroPkiOf(pki, at), at - 60);
      });
  }
}

/** The machine's one GPU beside its CPU. */
function withGpu(source: EvidenceSource, { platform }: SourceConfig, pki: TestPki): EvidenceSource {
  const gpu = new SimulatedGpu(gpuPkiOf(pki), { name: platform });
  const { kind, simulated, platformId, boot } = source;
  return {
    kind,
    simulated,
    platformId,
    ...(boot === undefined ? {} : { boot }),
    extend: (event, payload) => source.extend(event, payload),
    quote: (reportData) => source.quote(reportData),
    gpus: async (nonce) => {
      const gpus = [gpu.attest(fromHex(nonce))];
      return { gpus, serialized: SimulatedGpu.serialize(gpus), digest: gpuEvidenceDigest(gpus) };
    },
  };
}
