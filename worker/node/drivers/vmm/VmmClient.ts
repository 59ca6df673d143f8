import { request as overHttp, type IncomingMessage, type RequestOptions } from "node:http";
import { request as overHttps } from "node:https";
import { z } from "zod";

import { CharterError, isCharterError } from "../../../../protocol/errors/CharterError.ts";

/** dstack's `PortMapping`: an empty address is the one that dstack-vmm's own configuration names. */
export interface PortMapping {
  readonly protocol: "tcp" | "udp";
  readonly host_port: number;
  readonly vm_port: number;
  readonly host_address: string;
}

/** What a VM is made of: dstack's `VmConfiguration`, in the names of its JSON. */
export interface VmConfiguration {
  readonly name: string;
  readonly image: string;
  /** The manifest's exact text. */
  readonly compose_file: string;
  readonly vcpu: number;
  readonly memory: number;
  readonly disk_size: number;
  readonly ports: readonly PortMapping[];
  /** The app's address, 40 hex digits. */
  readonly app_id: string;
  /** dstack puts it into the VM as `/dstack/.user-config`; it is not measured. */
  readonly user_config: string;
  readonly hugepages: boolean;
  readonly pin_numa: boolean;
  readonly gpus?: { readonly attach_mode: "listed"; readonly gpus: readonly { readonly slot: string }[] };
  readonly kms_urls: readonly string[];
  readonly gateway_urls: readonly string[];
}

const text = z.string().max(1_048_576);
const vmSchema = z.looseObject({
  id: z.string().min(1).max(128),
  name: text,
  status: text,
  boot_progress: text.nullish(),
  boot_error: text.nullish(),
  configuration: z
    .looseObject({
      compose_file: text,
      ports: z.array(z.looseObject({ host_port: z.number().int() })).nullish(),
    })
    .nullish(),
});
/** One VM as dstack-vmm tells of it; `status` is `running`, `stopped`, `exited` or a word on the way. */
export type VmInfo = z.output<typeof vmSchema>;

const idSchema = z.looseObject({ id: z.string().min(1).max(128) });
const hashSchema = z.looseObject({ hash: z.string().regex(/^(?:0x)?[0-9a-fA-F]{64}$/) });
const statusSchema = z.looseObject({ vms: z.array(vmSchema).default([]) });
const imagesSchema = z.looseObject({ images: z.array(z.looseObject({ name: text })).default([]) });
const infoSchema = z.looseObject({ found: z.boolean(), info: vmSchema.nullish() });
const refusalSchema = z.union([
  z.looseObject({ message: z.string() }).transform(({ message }) => message),
  z.looseObject({ error: z.string() }).transform(({ error }) => error),
]);

const MAX_ANSWER_BYTES = 8 * 1_048_576;

/**
 * dstack-vmm's RPC in JSON over HTTP (its vmm_rpc.proto and API page): over TCP, or a unix socket (`unix:/path`).
 *
 * Every method throws a `CharterError`: `vmm/refused` with what dstack-vmm said, `vmm/unreachable`, `vmm/malformed-answer`.
 */
export class VmmClient {
  readonly #url: string;
  readonly #timeoutMs: number;

  constructor(url: string, timeoutMs = 60_000) {
    this.#url = url.replace(/\/+$/, "");
    this.#timeoutMs = timeoutMs;
  }

  /** Makes a VM and starts it. Returns its id. */
  async createVm(configuration: VmConfiguration, signal?: AbortSignal): Promise<string> {
    return (await this.#call("CreateVm", configuration, idSchema, signal)).id;
  }
  async startVm(id: string, signal?: AbortSignal): Promise<void> {
    await this.#call("StartVm", { id }, z.unknown(), signal);
  }
  /** Asks the VM's own system to shut down. */
  async shutdownVm(id: string): Promise<void> {
    await this.#call("ShutdownVm", { id }, z.unknown());
  }
  /** Ends it at once. */
  async stopVm(id: string): Promise<void> {
    await this.#call("StopVm", { id }, z.unknown());
  }
  /** Removes one that does not run, with its disk. */
  async removeVm(id: string): Promise<void> {
    await this.#call("RemoveVm", { id }, z.unknown());
  }
  /** The hash that dstack would measure, 0x and 64 digits. */
  async composeHash(configuration: VmConfiguration, signal?: AbortSignal): Promise<string> {
    const { hash } = await this.#call("GetComposeHash", configuration, hashSchema, signal);
    return `0x${hash.replace(/^0x/, "").toLowerCase()}`;
  }
  /** VMs whose name has this in it. */
  async list(keyword: string): Promise<readonly VmInfo[]> {
    const { vms } = await this.#call("Status", { ids: [], brief: true, keyword }, statusSchema);
    return vms.filter(({ name }) => name.includes(keyword));
  }
  /** Names of the OS images that it has. */
  async images(): Promise<readonly string[]> {
    const { images } = await this.#call("ListImages", {}, imagesSchema);
    return images.map(({ name }) => name);
  }
  /** One VM with its configuration; null where it is gone. */
  async info(id: string, signal?: AbortSignal): Promise<VmInfo | null> {
    const { found, info } = await this.#call("GetInfo", { id }, infoSchema, signal);
    return found ? (info ?? null) : null;
  }

  async #call<S extends z.ZodType>(
    method: string,
    body: unknown,
    schema: S,
    signal?: AbortSignal,
  ): Promise<z.output<S>> {
    const timeout = AbortSignal.timeout(this.#timeoutMs);
    let status: number;
    let answer: string;
    try {
      [status, answer] = await this.#post(
        `/prpc/${method}?json`,
        JSON.stringify(body),
        signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
      );
    } catch (cause) {
      if (isCharterError(cause)) throw cause;
      const details = { method, url: this.#url };
      throw new CharterError("vmm/unreachable", "dstack-vmm did not answer", details, { cause });
    }
    const json = parseJson(answer);
    if (status < 200 || status > 299) {
      const said = refusalSchema.safeParse(json);
      throw new CharterError("vmm/refused", "dstack-vmm refused", {
        method,
        status,
        said: (said.success ? said.data : answer).slice(0, 500),
      });
    }
    const parsed = schema.safeParse(json);
    if (parsed.success) return parsed.data;
    throw new CharterError("vmm/malformed-answer", "dstack-vmm answered in an unknown form", {
      method,
      issues: parsed.error.issues.slice(0, 10).map((issue) => `${issue.path.join(".")}: ${issue.message}`),
    });
  }

  #post(path: string, body: string, signal: AbortSignal): Promise<[status: number, text: string]> {
    const options: RequestOptions = {
      method: "POST",
      headers: { "content-type": "application/json", "content-length": Buffer.byteLength(body) },
      signal,
    };
    return new Promise((done, fail) => {
      const read = (response: IncomingMessage): void => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on("data", (chunk: Buffer) => {
          size += chunk.length;
          if (size > MAX_ANSWER_BYTES) response.destroy(new Error("the answer is too long"));
          else chunks.push(chunk);
        });
        response.on("error", fail);
        response.on("end", () => done([response.statusCode ?? 0, Buffer.concat(chunks).toString("utf8")]));
      };
      const socketPath = /^unix:(?:\/\/)?(\/.*)$/.exec(this.#url)?.[1];
      const sent =
        socketPath !== undefined
          ? overHttp({ ...options, socketPath, path }, read)
          : (this.#url.startsWith("https:") ? overHttps : overHttp)(`${this.#url}${path}`, options, read);
      sent.on("error", fail);
      sent.end(body);
    });
  }
}

/** Null for an empty body: what `Empty` comes as. */
function parseJson(body: string): unknown {
  try {
    return body.trim() === "" ? null : JSON.parse(body);
  } catch {
    return undefined;
  }
}
