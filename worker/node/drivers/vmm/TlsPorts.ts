import { createServer } from "node:net";

import { CharterError } from "../../../../protocol/errors/CharterError.ts";

export interface TlsPortsOptions {
  /** Address of this machine at which VMs are reached. */
  readonly host: string;
  /** The one port that is given; 0 for any of `range`. */
  readonly port: number;
  readonly range: { readonly from: number; readonly to: number };
  /** Ports that manifests may publish: some other guest's may want one of them. */
  readonly avoid: readonly number[];
}

/** Ports of the host by which clients reach attested TLS in VMs: none is given to two of them. */
export class TlsPorts {
  readonly #options: TlsPortsOptions;
  readonly #held = new Map<string, readonly number[]>();

  constructor(options: TlsPortsOptions) {
    this.#options = options;
  }

  /** Keeps what a VM has that is there already. */
  hold(id: string, ports: readonly number[]): void {
    this.#held.set(id, ports);
  }

  release(id: string): void {
    this.#held.delete(id);
  }

  /**
   * A port for this guest that no other has, by our own account and by the machine's.
   * @param beside ports that its VM has, too.
   * @throws CharterError `vmm/no-tls-port`.
   */
  async take(id: string, beside: readonly number[]): Promise<number> {
    const { host, port, range, avoid } = this.#options;
    const { from, to } = port === 0 ? range : { from: port, to: port };
    this.release(id);
    for (let candidate = from; candidate <= to; candidate++) {
      if ([avoid, ...this.#held.values()].some((ports) => ports.includes(candidate))) continue;
      this.hold(id, [...beside, candidate]); // At once: another guest may be asking while we look.
      if (await isFree(host, candidate)) return candidate;
      this.release(id);
    }
    throw new CharterError("vmm/no-tls-port", "no port is free for attested TLS", { host, from, to });
  }
}

/** An address that is not this machine's cannot be tried: dstack-vmm says then whether it can have the port. */
const isFree = (host: string, port: number): Promise<boolean> =>
  new Promise((done) => {
    const server = createServer();
    server.once("error", ({ code }: NodeJS.ErrnoException) => done(code === "EADDRNOTAVAIL"));
    server.listen({ host, port, exclusive: true }, () => server.close(() => done(true)));
  });
