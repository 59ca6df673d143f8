import { createHash, randomUUID } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import type { VmConfiguration } from "../../../worker/node/drivers/vmm/VmmClient.ts";

interface Vm {
  readonly id: string;
  readonly configuration: VmConfiguration;
  status: string;
  bootProgress: string;
}

/**
 * dstack-vmm's messages (its vmm_rpc.proto) in JSON over HTTP: what it makes is started at once, only what does not run can
 * be removed, and a failure is an object with code and message. Its VMs are records; what they do is up to the test.
 */
export class VmmServer {
  readonly vms = new Map<string, Vm>();
  /** Methods in the order that they were called in. */
  readonly called: string[] = [];
  /** Refuses a method with this message. */
  readonly refusals = new Map<string, string>();
  /** What is answered in place of the real hash. */
  bendHash = (hash: string): string => hash;
  /** Methods whose answers are lost: what they do is done. */
  readonly lost = new Set<string>();
  /** A VM that does not hear its shutdown. */
  isDeaf = false;
  url = "";
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      let text = "";
      request.on("data", (chunk: Buffer) => (text += chunk.toString()));
      request.on("end", () => {
        const method = /^\/prpc\/(\w+)\?json$/.exec(request.url ?? "")?.[1] ?? "";
        const isRead = method === "GetInfo" || method === "Status";
        if (!isRead) this.called.push(method);
        try {
          const answer = this.#answer(method, JSON.parse(text) as Record<string, unknown>);
          if (this.lost.has(method)) return void request.socket.destroy();
          response.writeHead(answer === null ? 204 : 200, { "content-type": "application/json" });
          response.end(answer === null ? "" : JSON.stringify(answer));
        } catch (error) {
          response.writeHead(400, { "content-type": "application/json" });
          response.end(JSON.stringify({ code: 400, message: String((error as Error).message) }));
        }
      });
    });
  }

  /** On a free TCP port, or on a unix socket. */
  async start(socket?: string): Promise<this> {
    await new Promise<void>((done) =>
      socket === undefined
        ? this.#server.listen(0, "127.0.0.1", done)
        : this.#server.listen(socket, () => done()),
    );
    this.url =
      socket === undefined
        ? `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
        : `unix:${socket}`;
    return this;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  #answer(method: string, body: Record<string, unknown>): object | null {
    const refusal = this.refusals.get(method);
    if (refusal !== undefined) throw new Error(refusal);
    const configuration = body as unknown as VmConfiguration;
    switch (method) {
      case "GetComposeHash":
        return {
          hash: this.bendHash(createHash("sha256").update(configuration.compose_file).digest("hex")),
        };
      case "ListImages":
        return {
          images: [{ name: "dstack-charter-0.5.4", description: "", version: "0.5.4", is_dev: false }],
        };
      case "CreateVm": {
        if (!/^[A-Za-z0-9_-]+$/.test(configuration.name)) throw new Error("Invalid name");
        const id = randomUUID();
        this.vms.set(id, { id, configuration, status: "running", bootProgress: "" });
        return { id };
      }
      case "Status": {
        const vms = [...this.vms.values()].filter(({ configuration: { name } }) =>
          name.includes(String(body.keyword)),
        );
        return {
          vms: vms.map((vm) => told(vm, true)),
          port_mapping_enabled: true,
          total: vms.length,
        };
      }
      case "GetInfo": {
        const vm = this.vms.get(String(body.id));
        return vm === undefined ? { found: false } : { found: true, info: told(vm, false) };
      }
    }
    const vm = this.vms.get(String(body.id));
    if (vm === undefined) throw new Error("vm not found");
    if (method === "StartVm") vm.status = "running";
    else if (method === "StopVm") vm.status = "stopped";
    else if (method === "ShutdownVm") {
      if (!this.isDeaf) vm.status = "exited";
      else throw new Error("guest agent does not answer");
    } else if (method === "RemoveVm") {
      if (vm.status === "running") throw new Error("VM is running");
      this.vms.delete(vm.id);
    } else throw new Error("no such method");
    return null;
  }
}

const told = ({ id, configuration, status, bootProgress }: Vm, isBrief: boolean): object => ({
  id,
  name: configuration.name,
  status,
  uptime: "1s",
  app_id: configuration.app_id,
  boot_progress: bootProgress,
  boot_error: "",
  shutdown_progress: "",
  image_version: "0.5.4",
  ...(isBrief ? {} : { configuration }),
});
