/** The relayer's program. Its environment stands in relayer/config.ts. */
import { readRelayerConfig } from "./config.ts";
import { openAttestedKeys } from "./keys/openAttestedKeys.ts";
import { createLogger, runProgram } from "./program.ts";
import { startRelayer } from "./relayer.ts";

const logger = createLogger("charter-relayer", process.env.LOG_LEVEL);

await runProgram(logger, async (closers) => {
  const attestedKeys = await openAttestedKeys(process.env, ["outbox", "lease"]);
  return startRelayer(readRelayerConfig(process.env, attestedKeys), logger, closers);
});
