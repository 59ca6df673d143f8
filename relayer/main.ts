import { readRelayerConfig } from "./config.ts";
import { createLogger, runProgram } from "./program.ts";
import { startRelayer } from "./relayer.ts";

/** The relayer's program. Its environment stands in relayer/config.ts. */
const logger = createLogger("charter-relayer", process.env.LOG_LEVEL);

await runProgram(logger, async (closers) => startRelayer(readRelayerConfig(process.env), logger, closers));
