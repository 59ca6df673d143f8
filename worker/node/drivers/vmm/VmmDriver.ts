import { nodeCrypto } from "../../../../protocol/crypto/node.ts";
import { CharterError } from "../../../../protocol/errors/CharterError.ts";
import { composeHash as hashOf } from "../../../../protocol/manifest/composeHash.ts";
import { parseManifest } from "../../../../protocol/manifest/manifest.ts";
import type { Clock } from "../../../clock.ts";
import { parseCompose } from "../../../guest/compose/parseCompose.ts";
import { VM_WORKDIR, type GuestConfigInput } from "../../../guest/config.ts";
import { fetchManifestBytes } from "../../../guest/fetchManifestBytes.ts";
import { isDirectory } from "../../../guest/sources/byteSource.ts";
import { reported } from "../../../guest/state.ts";
import type { RelayerClient } from "../../../session/RelayerClient.ts";
import type { NodeFile } from "../../nodeFile.ts";
import type { Driver, GuestSpec } from "../Driver.ts";
import type { CommonGuestConfig } from "../processDriver.ts";
import { endVm } from "./endVm.ts";
import { TlsPorts } from "./TlsPorts.ts";
import { vmTls } from "./vmTls.ts";
import type { PortMapping, VmConfiguration, VmInfo, VmmClient } from "./VmmClient.ts";

export interface VmmDriverOptions {
  readonly client: VmmClient;
  readonly relayers: readonly RelayerClient[];
  readonly common: CommonGuestConfig;
  /** Begins the names of this node's VMs, and of no other's. */
  readonly prefix: string;
  readonly vm: Omit<NonNullable<NodeFile["vmm"]>, "url">;
  /** Ports of the host that manifests may publish. */
  readonly hostPorts: readonly number[];
  readonly clock: Clock;
  /** What VMs are seen to do, one JSON object each: a VM has no line of its own to its host. */
  readonly onLine: (id: string, line: string) => void;
  readonly pollMilliseconds?: number;
}

interface Running {
  /** Known once the VM is made or adopted. */
  vmId?: string;
  /** Name of a VM that was asked for: it may be there though its id was not heard. */
  asked?: string;
  readonly stop: AbortController;
  ended?: Promise<void>;
}

/** What a VM that ended has as its status. */
const ENDED: ReadonlySet<string> = new Set(["stopped", "exited"]);
const POLL_MS = 2_000;

/**
 * Driver for confidential VMs: each guest is a VM of dstack-vmm whose app-compose is the release's manifest, byte for byte.
 * The VM is asked for only when dstack computes the very compose hash that the contract allows.
 */
export class VmmDriver implements Driver {
  readonly name = "dstack-vmm";
  readonly keepsOnStop: boolean;
  readonly #options: VmmDriverOptions;
  readonly #running = new Map<string, Running>();
  readonly #ports: TlsPorts;

  constructor(options: VmmDriverOptions) {
    const { vm, common, hostPorts } = options;
    this.#options = options;
    this.keepsOnStop = vm.keepOnStop;
    const { host = "127.0.0.1", port = 0 } = common.tls ?? {};
    this.#ports = new TlsPorts({ host, port, range: vm.tlsPorts, avoid: hostPorts });
  }

  /** @throws CharterError `vmm/…`: an agent that does not know what runs here starts nothing. */
  async adopt(): Promise<void> {
    const { client, prefix } = this.#options;
    for (const { id, name } of await client.list(prefix)) {
      if (!name.startsWith(prefix)) continue;
      const guest = name.slice(prefix.length);
      this.#running.set(guest, { vmId: id, stop: new AbortController() });
      const known = await client.info(id);
      this.#ports.hold(guest, known?.configuration?.ports?.map(({ host_port }) => host_port) ?? []);
    }
  }

  start(spec: GuestSpec, onExit: Parameters<Driver["start"]>[1]): void {
    const { id } = spec;
    const running = this.#running.get(id) ?? { stop: new AbortController() };
    this.#running.set(id, running);
    running.ended = this.#run(spec, running).then((code) => {
      onExit({ id, code, signal: null });
    });
  }

  async stop(id: string): Promise<void> {
    const running = this.#running.get(id);
    if (running === undefined) return;
    running.stop.abort();
    await (running.ended ?? this.#end(id, running));
  }

  list(): readonly string[] {
    return [...this.#running.keys()];
  }

  /** Follows one VM from its making to its end. Never rejects; 0 where it was asked to stop. */
  async #run(spec: GuestSpec, running: Running): Promise<number | null> {
    const { signal } = running.stop;
    try {
      if (!(await this.#goOn(spec, running, signal))) {
        const configuration = await this.#configure(spec, signal);
        await this.#make(configuration, running, signal);
      }
      await this.#watch(spec.id, running, signal);
    } catch (error) {
      if (!signal.aborted) this.#say(spec.id, { state: "failed", error: reported(error) });
    }
    await this.#end(spec.id, running);
    return signal.aborted ? 0 : null;
  }

  /**
   * @throws CharterError `manifest/…`, `compose/…`, `relayer/…`, `vmm/compose-hash-mismatch`, `vmm/volume-not-kept`,
   * `vmm/no-tls-port`, `vmm/…`.
   */
  async #configure(spec: GuestSpec, signal: AbortSignal): Promise<VmConfiguration> {
    const { client, relayers, common, prefix, vm, hostPorts } = this.#options;
    const sources = common.manifestSources ?? [];
    const bytes = await fetchManifestBytes({ relayers, sources }, spec.composeHash, signal);
    const manifest = parseManifest(bytes);
    if (manifest.charter?.persistent === true) {
      // A VM's disk goes with the VM, and each release and each restart is another one.
      throw new CharterError(
        "vmm/volume-not-kept",
        "a VM's volume ends with the VM, and the manifest asks for one that stays",
        { app: spec.app },
      );
    }
    const { publishedPorts } = parseCompose(manifest.docker_compose_file, { hostPorts });
    const { id, ...placement } = spec;
    const guest: GuestConfigInput = {
      ...common,
      ...placement,
      // In the VM nothing of the host's paths exists, and a TEE is what it is for.
      evidence: "machine",
      workdir: VM_WORKDIR,
      runtime: "docker",
      manifestSources: sources.filter((url) => !isDirectory(url)),
    };
    for (const name of HOST_ONLY) delete guest[name];
    const mapped: PortMapping[] = publishedPorts.map(({ port, transport }) => ({
      protocol: transport,
      host_port: port,
      vm_port: port,
      host_address: "",
    }));
    if (manifest.charter?.tls !== undefined) {
      const tls = await vmTls(id, common.tls, this.#ports, publishedPorts);
      guest.tls = tls.listen;
      mapped.push(tls.mapping);
    }
    const configuration: VmConfiguration = {
      name: `${prefix}${id}`,
      image: vm.image,
      compose_file: new TextDecoder().decode(bytes),
      vcpu: vm.vcpu,
      memory: vm.memoryMb,
      disk_size: vm.diskGb,
      ports: mapped,
      app_id: spec.app.slice(2),
      user_config: JSON.stringify(guest),
      hugepages: false,
      pin_numa: false,
      ...(vm.gpuSlots.length === 0
        ? {}
        : { gpus: { attach_mode: "listed", gpus: vm.gpuSlots.map((slot) => ({ slot })) } }),
      kms_urls: vm.kmsUrls,
      gateway_urls: vm.gatewayUrls,
    };
    const actual = await client.composeHash(configuration, signal);
    if (actual !== spec.composeHash) {
      throw new CharterError("vmm/compose-hash-mismatch", "dstack would measure another compose hash", {
        expected: spec.composeHash,
        actual,
      });
    }
    return configuration;
  }

  /** Goes on with a VM that was adopted, where it is of the very manifest; any other of that name is removed. */
  async #goOn({ composeHash }: GuestSpec, running: Running, signal: AbortSignal): Promise<boolean> {
    const { client, clock } = this.#options;
    const vmId = await this.#find(running);
    if (vmId === undefined) return false;
    running.vmId = vmId;
    const known = await client.info(vmId, signal);
    const text = known?.configuration?.compose_file;
    if (known !== null && text !== undefined && (await hashOf(encode(text), nodeCrypto)) === composeHash) {
      if (ENDED.has(known.status)) await client.startVm(known.id, signal);
      return true;
    }
    await endVm(client, vmId, clock);
    delete running.vmId;
    return false;
  }

  async #make(configuration: VmConfiguration, running: Running, signal: AbortSignal): Promise<void> {
    const { client } = this.#options;
    if (signal.aborted) return;
    running.asked = configuration.name;
    // Not cut short by the signal: a VM whose id nobody heard has to be looked for.
    running.vmId = await client.createVm(configuration);
    const made = await client.info(running.vmId, signal);
    // dstack-vmm starts what it makes; one that was told not to is started here.
    if (made !== null && ENDED.has(made.status)) await client.startVm(running.vmId, signal);
  }

  /** Returns when the VM has ended or is gone, or the signal is given. */
  async #watch(id: string, running: Running, signal: AbortSignal): Promise<void> {
    const { client, clock, pollMilliseconds = POLL_MS } = this.#options;
    let last = "";
    for (;;) {
      if (signal.aborted || running.vmId === undefined) return;
      try {
        const vm = await client.info(running.vmId, signal);
        if (vm === null) return;
        const line = JSON.stringify(stateOf(vm));
        if (line !== last) this.#options.onLine(id, line);
        last = line;
        if (ENDED.has(vm.status)) return;
      } catch (error) {
        if (signal.aborted) return;
        // The VM may well run on: what it may do is its own lease's to say.
        const line = JSON.stringify({ state: "vmm-failed", error: reported(error) });
        if (line !== last) this.#options.onLine(id, line);
        last = line;
      }
      await clock.sleep(pollMilliseconds, signal);
    }
  }

  /** Ends and removes the VM. What cannot be ended stays in the list: the next reconciliation tries again. */
  async #end(id: string, running: Running): Promise<void> {
    try {
      const vmId = await this.#find(running);
      if (vmId !== undefined) await endVm(this.#options.client, vmId, this.#options.clock);
      delete running.vmId;
      delete running.asked;
      if (this.#running.get(id) === running) {
        this.#running.delete(id);
        this.#ports.release(id);
      }
    } catch (error) {
      this.#say(id, { state: "not-stopped", error: reported(error) });
      const { ended: _, ...known } = running;
      this.#running.set(id, { ...known, stop: new AbortController() });
    }
  }

  /** The VM's id, if there is one; where it was not heard, by the VM's name. */
  async #find({ vmId, asked }: Running): Promise<string | undefined> {
    if (vmId !== undefined || asked === undefined) return vmId;
    return (await this.#options.client.list(asked)).find(({ name }) => name === asked)?.id;
  }

  #say(id: string, message: Readonly<Record<string, unknown>>): void {
    this.#options.onLine(id, JSON.stringify(message));
  }
}

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Settings of the host that mean nothing in a VM; where TLS is to be had, the VM has its own. */
const HOST_ONLY = [
  "simulatorDir",
  "platform",
  "places",
  "vmConfig",
  "mrConfig",
  "engineSocket",
  "tls",
] as const;

/** `running` once the VM says that its boot is done: what lets a predecessor go. */
function stateOf({ id, status, boot_progress, boot_error }: VmInfo): Record<string, unknown> {
  const state = status === "running" ? (boot_progress === "done" ? "running" : "booting") : status;
  return {
    state,
    vm: id,
    ...(boot_progress ? { bootProgress: boot_progress.slice(0, 200) } : {}),
    ...(boot_error ? { bootError: boot_error.slice(0, 500) } : {}),
  };
}
