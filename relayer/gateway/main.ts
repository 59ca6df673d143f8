import { createLogger, runProgram } from "../program.ts";
import { readGatewayConfig } from "./config.ts";
import { Gateway } from "./Gateway.ts";
import { relayerRoutes } from "./relayerRoutes.ts";

/** The gateway's program (`charter-gateway`). Its environment stands in relayer/gateway/config.ts. */
const logger = createLogger("charter-gateway", process.env.LOG_LEVEL);
const ROUTE_MAX_AGE_MS = 1_000;

await runProgram(logger, async (closers) => {
  const { relayerUrls, host, port, ...config } = readGatewayConfig(process.env);
  const gateway = new Gateway({
    ...config,
    routes: relayerRoutes({ relayerUrls, maxAgeMs: ROUTE_MAX_AGE_MS }),
    onRouted: (outcome) => logger.debug({ outcome }, "connection"),
  });
  const bound = await gateway.listen(host, port);
  closers.add("gateway", () => gateway.close());
  return { ready: { host, port: bound, domain: config.domain }, failed: new Promise<never>(() => undefined) };
});
