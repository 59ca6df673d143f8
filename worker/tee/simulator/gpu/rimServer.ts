import { createHash } from "node:crypto";

import Fastify, { type FastifyInstance } from "fastify";

import type { GpuPki } from "./gpuPki.ts";
import { GPU_DRIVER, GPU_VBIOS } from "./gpuReport.ts";
import { makeRim } from "./rim.ts";

export interface RimServerOptions {
  readonly pki: GpuPki;
  /** Unix seconds. */
  readonly now: () => number;
  /** Manifests by id; default those of the simulated Hopper GPU. */
  readonly rims?: ReadonlyMap<string, string>;
}

/** The board of the simulated GPU, as its reports name it: project, its SKU, the chip's, and the VBIOS. */
const VBIOS_ID = `NV_GPU_VBIOS_G520_0200_885_${GPU_VBIOS.replaceAll(".", "")}`;

export const hopperRims = (pki: GpuPki): Map<string, string> =>
  new Map([
    [`NV_GPU_DRIVER_GH100_${GPU_DRIVER}`, makeRim(pki, { kind: "driver" })],
    [VBIOS_ID, makeRim(pki, { kind: "vbios" })],
  ]);

/** The simulated vendor's manifests under the URLs and in the JSON of NVIDIA's RIM service, version 1. */
export function createRimServer({ pki, now, rims = hopperRims(pki) }: RimServerOptions): FastifyInstance {
  const server = Fastify({ logger: false, bodyLimit: 1024 });
  /** NVIDIA writes microseconds, and no zone. */
  const lastUpdated = new Date(now() * 1_000).toISOString().replace("Z", "000");

  server.get("/v1/rim/ids", (request) => ({
    ids: [...rims.keys()],
    request_id: request.id,
    last_updated: lastUpdated,
  }));

  server.get<{ Params: { id: string } }>("/v1/rim/:id", ({ params, id: requestId }, reply) => {
    const rim = rims.get(params.id);
    if (rim === undefined) {
      return reply.code(404).send({ message: "RIM Not Found", request_id: requestId });
    }
    const bytes = Buffer.from(rim);
    return reply.send({
      id: params.id,
      rim: bytes.toString("base64"),
      sha256: createHash("sha256").update(bytes).digest("hex"),
      last_updated: lastUpdated,
      rim_format: "TCG",
      request_id: requestId,
    });
  });

  return server;
}
