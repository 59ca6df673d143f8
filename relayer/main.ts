import { setFlagsFromString } from "node:v8";

/**
 * The relayer's program. Its environment stands in relayer/config.ts.
 *
 * Node sizes its heap by the machine and takes as much again before it looks for what is free. A relayer holds thousands
 * of small things that live long, so it keeps its young generation small, collects early and gives back what is free;
 * before anything is loaded, since loading is most of the garbage there is.
 */
setFlagsFromString("--optimize-for-size");
setFlagsFromString("--semi-space-growth-factor=1");
setFlagsFromString("--heap-growing-percent=25");

const { readRelayerConfig } = await import("./config.ts");
const { openAttestedKeys } = await import("./keys/openAttestedKeys.ts");
const { createLogger, runProgram } = await import("./program.ts");
const { startRelayer } = await import("./relayer.ts");

const logger = createLogger("charter-relayer", process.env.LOG_LEVEL);

await runProgram(logger, async (closers) => {
  const attestedKeys = await openAttestedKeys(process.env, ["outbox", "lease"]);
  return startRelayer(readRelayerConfig(process.env, attestedKeys), logger, closers);
});
