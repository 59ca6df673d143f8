import { CharterError } from "../../protocol/errors/CharterError.ts";
import type { Bytes32 } from "../../protocol/words/hex.ts";
import { bestSource, detectSources, type DetectedSource } from "./detectSources.ts";
import { DstackSource } from "./dstack/DstackSource.ts";
import type { BoundBoot, EvidenceSource } from "./EvidenceSource.ts";
import { collectGpuEvidence } from "./nvidia/collectGpuEvidence.ts";
import { openSource, type SourceConfig } from "./openSource.ts";
import type { Places } from "./places.ts";
import { TsmSnp } from "./tsm/TsmSnp.ts";
import { TsmTdx } from "./tsm/TsmTdx.ts";

export interface MachineConfig {
  /** As `SourceConfig` has them; needed by the simulator only. */
  readonly simulatorDir?: string | undefined;
  readonly platform?: string | undefined;
  readonly tee?: SourceConfig["tee"];
  readonly gpu?: boolean | undefined;
  /** "machine": the hardware's own evidence or a refusal; nothing falls back to the simulator. */
  readonly evidence: "simulator" | "machine";
  /** TDX without dstack, and SEV-SNP: JSON with `os_image_hash`. */
  readonly vmConfig?: string | undefined;
  /** SEV-SNP: dstack's configuration document, exact text. */
  readonly mrConfig?: string | undefined;
  /** Where this machine's hardware is, where that is not the usual place. */
  readonly places?: Places | undefined;
}

/**
 * Opens the source of evidence that the configuration asks for; of a machine, the best that is found. Without `boot` it is
 * for the machine itself: its registration.
 * @throws CharterError `tee/no-source`, `tee/nsm-unsupported`, `tee/config-missing` where what is asked for needs something
 * that was not given, and as the source's own `open`.
 */
export async function openMachineSource(
  config: MachineConfig,
  chainId: number,
  boot?: BoundBoot,
): Promise<EvidenceSource> {
  if (config.evidence === "simulator") return openSource(simulated(config), chainId, boot);
  const source = await openCpu(config);
  if (config.gpu !== true) return source;
  // Methods of the source's own class: set on it, not copied from it.
  return Object.assign(source, {
    gpus: (nonce: Bytes32) => collectGpuEvidence(nonce, config.places?.nvattest),
  });
}

/** The simulator's part of a configuration. */
function simulated({ simulatorDir, platform, tee, gpu }: MachineConfig): SourceConfig {
  return {
    simulatorDir: given("simulatorDir", simulatorDir),
    platform: given("platform", platform),
    tee,
    gpu,
  };
}

async function openCpu(config: MachineConfig): Promise<EvidenceSource> {
  return openDetected(bestSource(await detectSources(config.places)), config);
}

/** Opens one source that was found. @throws as `openMachineSource`. */
export async function openDetected(
  { name, at }: { readonly name: DetectedSource["name"]; readonly at: string },
  config: MachineConfig,
): Promise<EvidenceSource> {
  const { places = {} } = config;
  switch (name) {
    case "dstack":
      return DstackSource.open(at);
    case "tsm-tdx":
      return TsmTdx.open({
        root: at,
        vmConfig: given("vmConfig", config.vmConfig),
        ...(places.rtmr3File === undefined ? {} : { rtmr3File: places.rtmr3File }),
        ...(places.ccelFile === undefined ? {} : { ccelFile: places.ccelFile }),
      });
    case "tsm-snp":
      return TsmSnp.open({
        root: at,
        mrConfig: given("mrConfig", config.mrConfig),
        ...(config.vmConfig === undefined ? {} : { vmConfig: config.vmConfig }),
      });
    case "nitro":
      throw new CharterError("tee/nsm-unsupported", "AWS NSM answers ioctls only, which takes native code");
    case "nvidia": // Never the CPU's source.
      throw new CharterError("tee/no-source", "this machine has no source of evidence that Charter knows", {
        name,
      });
  }
}

function given(
  field: "vmConfig" | "mrConfig" | "simulatorDir" | "platform",
  value: string | undefined,
): string {
  if (value !== undefined) return value;
  throw new CharterError(
    "tee/config-missing",
    "this source of evidence needs something that the configuration does not give",
    { field },
  );
}
