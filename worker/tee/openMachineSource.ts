import { CharterError } from "../../protocol/errors/CharterError.ts";
import { bestSource, detectSources, type Places } from "./detectSources.ts";
import { DstackSource } from "./dstack/DstackSource.ts";
import type { BoundBoot, EvidenceSource } from "./EvidenceSource.ts";
import { collectGpuEvidence } from "./nvidia/collectGpuEvidence.ts";
import { openSource, type SourceConfig } from "./openSource.ts";
import { TsmSnp } from "./tsm/TsmSnp.ts";
import { TsmTdx } from "./tsm/TsmTdx.ts";

export interface MachineConfig extends SourceConfig {
  /** "machine": the hardware's own evidence or a refusal; nothing falls back to the simulator. */
  readonly evidence: "simulator" | "machine";
  /** TDX without dstack, and SEV-SNP: JSON with `os_image_hash`. */
  readonly vmConfig?: string | undefined;
  /** SEV-SNP: dstack's configuration document, exact text. */
  readonly mrConfig?: string | undefined;
}

/**
 * Opens the source of evidence that the configuration asks for; of a machine, the best that is found.
 * @throws CharterError `tee/no-source`, `tee/nsm-unsupported`, `tee/config-missing` where the machine's kind needs a
 * document that was not given, and as the source's own `open`.
 */
export async function openMachineSource(
  config: MachineConfig,
  chainId: number,
  boot: BoundBoot,
  places: Places = {},
): Promise<EvidenceSource> {
  if (config.evidence === "simulator") return openSource(config, chainId, boot);
  const source = await openCpu(config, places);
  // Methods of the source's own class: set on it, not copied from it.
  return config.gpu === true ? Object.assign(source, { gpus: collectGpuEvidence }) : source;
}

async function openCpu(config: MachineConfig, places: Places): Promise<EvidenceSource> {
  const { name, at } = bestSource(await detectSources(places));
  switch (name) {
    case "dstack":
      return DstackSource.open(at);
    case "tsm-tdx":
      return TsmTdx.open({ root: at, vmConfig: given("vmConfig", config.vmConfig) });
    case "tsm-snp":
      return TsmSnp.open({
        root: at,
        mrConfig: given("mrConfig", config.mrConfig),
        ...(config.vmConfig === undefined ? {} : { vmConfig: config.vmConfig }),
      });
    case "nitro":
    case "nvidia":
      // `bestSource` never names them: neither can be the CPU's source here.
      throw new CharterError("tee/no-source", "this machine has no source of evidence that Charter knows", {
        name,
      });
  }
}

function given(field: "vmConfig" | "mrConfig", value: string | undefined): string {
  if (value !== undefined) return value;
  throw new CharterError(
    "tee/config-missing",
    "this machine's evidence needs a document in the configuration",
    {
      field,
    },
  );
}
