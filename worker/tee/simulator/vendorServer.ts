import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import type { FastifyInstance } from "fastify";

import { createOcspServer } from "./gpu/ocspServer.ts";
import { createRimServer } from "./gpu/rimServer.ts";
import { createPcs } from "./pcs.ts";
import type { TestPki } from "./pki.ts";
import type { AmdPki } from "./snp/amdPki.ts";
import { createKds } from "./snp/kds.ts";
import { gpuPkiOf } from "./vendorPkis.ts";

export interface VendorServerOptions {
  readonly pki: TestPki;
  /** AMD's part, where there is one: its PKI, and the machines that it certifies. */
  readonly amd?: { readonly pki: AmdPki; readonly machines: readonly string[] };
  /** Unix seconds. */
  readonly now: () => number;
}

export interface VendorServer {
  /** @throws Error `EADDRINUSE` as Node does. */
  listen(at: { readonly host: string; readonly port: number }): Promise<string>;
  close(): Promise<void>;
}

/** Where NVIDIA's OCSP service answers here; its own stands at the root of a host. */
export const OCSP_PATH = "/ocsp";

/**
 * Every simulated vendor behind one port, each under the paths of its own service: Intel's PCS (`/sgx`, `/tdx`), AMD's KDS
 * (`/vcek`, `/vlek`), NVIDIA's RIM (`/v1/rim`) and OCSP (`/ocsp`).
 */
export async function createVendorServer({ pki, amd, now }: VendorServerOptions): Promise<VendorServer> {
  const gpu = gpuPkiOf(pki);
  const pcs = createPcs({ pki, now }).server;
  const rim = createRimServer({ pki: gpu, now });
  const ocsp = createOcspServer({ pki: gpu, now });
  const kds = amd && createKds({ pkis: [amd.pki], machines: amd.machines, now }).server;
  const services: readonly (readonly [RegExp, FastifyInstance])[] = [
    [/^\/v1\/rim\//, rim],
    [/^\/ocsp$/, ocsp],
    ...(kds === undefined ? [] : [[/^\/(?:vcek|vlek)\//, kds] as const]),
  ];
  const all = [pcs, ...services.map(([, service]) => service)];
  for (const service of all) await service.ready();

  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const path = (request.url ?? "/").split("?")[0] as string;
    const service = services.find(([pattern]) => pattern.test(path))?.[1] ?? pcs;
    if (service === ocsp) request.url = "/";
    service.routing(request, response);
  });
  return {
    listen: ({ host, port }) =>
      new Promise((resolve, reject) => {
        server.once("error", reject);
        server.listen(port, host, () => {
          const { address, port: bound, family } = server.address() as AddressInfo;
          resolve(`http://${family === "IPv6" ? `[${address}]` : address}:${bound}`);
        });
      }),
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      for (const service of all) await service.close();
    },
  };
}
