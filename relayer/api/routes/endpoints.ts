import type { FastifyInstance } from "fastify";

import { CharterError } from "../../../protocol/errors/CharterError.ts";
import { endpointTypes, leaseDomain } from "../../../protocol/session/domains.ts";
import {
  endpointReportSchema,
  MAX_ENDPOINT_SECONDS,
  type EndpointReport,
  type EndpointsMessage,
} from "../../../protocol/session/endpoints.ts";
import { addressSchema } from "../../../protocol/session/messages.ts";
import type { Address } from "../../../protocol/words/hex.ts";
import { inLanes } from "../../inLanes.ts";
import { recoverTypedData } from "../../keys/recoverTypedData.ts";
import type { EndpointStore } from "../../store/endpointStore.ts";
import { parseMessage } from "../errors.ts";
import type { KeyGuard } from "../limits/KeyGuard.ts";

export interface EndpointOptions {
  readonly chainId: number;
  readonly ledger: Address;
  readonly store: Pick<EndpointStore, "keep" | "ofApp">;
  /** Would this key be given a lease now? */
  readonly mayRun: (app: Address, key: Address) => Promise<boolean>;
  readonly guard: KeyGuard;
  readonly maxRequestsPerMinute: number;
  /** Unix seconds. */
  readonly now: () => number;
}

const MAX_ENDPOINTS = 256;
/** Keys of one question that are looked up at once. */
const LANES = 8;

/** Where instances answer TLS (protocol/session/endpoints.ts): they tell, clients and gateways ask. */
export function endpointRoutes(server: FastifyInstance, options: EndpointOptions): void {
  const { store, mayRun, guard, now } = options;
  const config = { rateLimit: { max: options.maxRequestsPerMinute, timeWindow: 60_000 } };

  server.post("/instances/endpoint", { config }, async ({ body, ip }, reply) => {
    const report = parseMessage(endpointReportSchema, body);
    await guard.run({ key: report.key, address: ip }, () => requireReport(report, options));
    const { app, key, host, port, until } = report;
    await store.keep(app, { key, host, port, until }, now());
    return reply.code(204).send();
  });

  server.get<{ Params: { app: string } }>(
    "/apps/:app/endpoints",
    { config },
    async ({ params }): Promise<EndpointsMessage> => {
      const app = parseMessage(addressSchema, params.app);
      const kept = await store.ofApp(app, now(), MAX_ENDPOINTS);
      // Keys that are not known yet are looked up in the store, where not all may be asked for at once.
      const may = await inLanes(kept, LANES, ({ key }) => mayRun(app, key));
      return { endpoints: kept.filter((_, i) => may[i]) };
    },
  );
}

/** @throws CharterError `endpoint/until`, `lease/signature-invalid`, `endpoint/not-an-instance`. */
async function requireReport(
  report: EndpointReport,
  { chainId, ledger, mayRun, now }: EndpointOptions,
): Promise<void> {
  const { app, key, host, port, until, signature } = report;
  const seconds = now();
  if (until <= seconds || until > seconds + MAX_ENDPOINT_SECONDS) {
    throw new CharterError("endpoint/until", "an endpoint is told for a few minutes ahead", {
      expected: [seconds + 1, seconds + MAX_ENDPOINT_SECONDS],
      actual: until,
    });
  }
  const typedData = {
    domain: leaseDomain(chainId, ledger),
    types: endpointTypes,
    primaryType: "InstanceEndpoint",
    message: { app, host, port, until },
  } as const;
  if (recoverTypedData(typedData, signature) !== key) {
    throw new CharterError("lease/signature-invalid", "an endpoint must be signed by the instance key", {
      key,
    });
  }
  if (!(await mayRun(app, key))) {
    throw new CharterError("endpoint/not-an-instance", "this key may not run this app now", { app, key });
  }
}
