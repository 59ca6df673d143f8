import { closeListener, createLogger, listen, runProgram } from "../../../program.ts";
import { bootAuthServer } from "../server.ts";
import { directAuthorizer } from "./authorizer.ts";
import { readDirectConfig } from "./config.ts";
import { KmsContract } from "./KmsContract.ts";

/** `charter-bootauth`: dstack's webhook over one RPC endpoint and one contract, without a database. */
const logger = createLogger("charter-bootauth", process.env.LOG_LEVEL);

await runProgram(logger, async (closers) => {
  const config = readDirectConfig(process.env);
  const contract = new KmsContract({ ...config, now: () => Math.floor(Date.now() / 1_000) });
  const server = bootAuthServer({
    ...directAuthorizer(contract, logger),
    tls: config.listener.tls,
    logger,
  });
  closers.add("listener", () => closeListener(server));
  const url = await listen(server, config.listener.host, config.port);
  return { ready: { url }, failed: new Promise<never>(() => undefined) };
});
