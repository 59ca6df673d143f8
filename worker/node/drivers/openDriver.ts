import { join, resolve } from "node:path";

import type { Address } from "../../../protocol/words/hex.ts";
import { machineClock } from "../../clock.ts";
import { RelayerClient } from "../../session/RelayerClient.ts";
import type { NodeConfig } from "../config.ts";
import { pinnedOf } from "../pinned.ts";
import type { Driver } from "./Driver.ts";
import { ProcessDriver, type CommonGuestConfig } from "./processDriver.ts";
import { VmmClient } from "./vmm/VmmClient.ts";
import { VmmDriver } from "./vmm/VmmDriver.ts";

/** The driver that the configuration names. */
export function openDriver(
  config: NodeConfig,
  workdir: string,
  nodeKey: Address,
  onLine: (id: string, line: string) => void,
): Driver {
  if (config.driver === "dstack-vmm" && config.vmm !== undefined) {
    const { relayerUrls, hostPorts, gpu, vmm } = config;
    return new VmmDriver({
      client: new VmmClient(vmm.url),
      relayers: relayerUrls.map((url) => new RelayerClient(url)),
      common: commonOf(config),
      prefix: `charter-${nodeKey.slice(2, 10).toLowerCase()}-`,
      vm: { ...vmm, gpuSlots: gpu ? vmm.gpuSlots : [] },
      hostPorts,
      clock: machineClock(),
      onLine,
    });
  }
  const common = { ...commonOf(config), volumesDir: join(workdir, "volumes") };
  return new ProcessDriver({ common, workdir: join(workdir, "guests"), onLine });
}

/** What every guest of this node is told. Never the operator's key, nor the node's. */
export function commonOf(config: NodeConfig): CommonGuestConfig {
  const { relayerUrls, evidence, tee, gpu, runtime, hostPorts, reattestSeconds, status } = config;
  const { manifestSources } = config;
  const { chainId, genesisHash, ledger } = pinnedOf(config.deployment);
  const { vmConfig, mrConfig, places, simulatorDir, platform, engineSocket, tls, storage, volumeMb } = config;
  return {
    relayerUrls,
    manifestSources,
    chainId,
    genesisHash,
    ledger,
    evidence,
    tee,
    gpu,
    runtime,
    storage,
    volumeMb,
    hostPorts,
    reattestSeconds,
    status,
    ...(tls === undefined ? {} : { tls }),
    ...(vmConfig === undefined ? {} : { vmConfig }),
    ...(mrConfig === undefined ? {} : { mrConfig }),
    ...(places === undefined ? {} : { places }),
    ...(simulatorDir === undefined ? {} : { simulatorDir: resolve(simulatorDir) }),
    ...(platform === undefined ? {} : { platform }),
    ...(engineSocket === undefined ? {} : { engineSocket }),
  };
}
