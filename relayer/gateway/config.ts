import { z } from "zod";

import { readEnvironment, variables } from "../environment.ts";
import { Upstreams } from "./Upstreams.ts";

/** Everything that the gateway is told from outside, parsed once at start. */
export interface GatewayConfig {
  readonly domain: string;
  readonly relayerUrls: readonly string[];
  readonly upstreams: Upstreams;
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  readonly host: string;
  readonly port: number;
}

const schema = z.object({
  CHARTER_GATEWAY_DOMAIN: z
    .string()
    .toLowerCase()
    .regex(/^[a-z0-9-]+(\.[a-z0-9-]+)*$/, "expected a domain, without a leading dot")
    .max(200),
  CHARTER_RELAYER_URLS: variables.urls,
  CHARTER_GATEWAY_UPSTREAMS: z.string().transform((text) =>
    text
      .split(",")
      .map((network) => network.trim())
      .filter(Boolean),
  ),
  CHARTER_GATEWAY_MAX_CONNECTIONS: variables.count.default(10_000),
  CHARTER_GATEWAY_MAX_CONNECTIONS_PER_ADDRESS: variables.count.default(256),
  HOST: variables.host.default("127.0.0.1"),
  PORT: variables.port.default(8443),
  LOG_LEVEL: variables.logLevel.default("info"),
});

/**
 * Reads the gateway's environment.
 * @throws CharterError `config/invalid` (every wrong variable at once).
 */
export function readGatewayConfig(environment: Readonly<Record<string, string | undefined>>): GatewayConfig {
  const read = readEnvironment(schema, environment);
  return {
    domain: read.CHARTER_GATEWAY_DOMAIN,
    relayerUrls: read.CHARTER_RELAYER_URLS,
    upstreams: new Upstreams(read.CHARTER_GATEWAY_UPSTREAMS),
    maxConnections: read.CHARTER_GATEWAY_MAX_CONNECTIONS,
    maxConnectionsPerAddress: read.CHARTER_GATEWAY_MAX_CONNECTIONS_PER_ADDRESS,
    host: read.HOST,
    port: read.PORT,
  };
}
