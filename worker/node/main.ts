import { join, resolve } from "node:path";
import { Command } from "commander";

import { machineClock } from "../clock.ts";
import { runProgram, say } from "../program.ts";
import { RelayerClient } from "../session/RelayerClient.ts";
import { openSource } from "../tee/openSource.ts";
import { requirePlatform } from "../tee/requirePlatform.ts";
import { readNodeConfig } from "./config.ts";
import { examine } from "./doctor.ts";
import { ProcessDriver } from "./drivers/processDriver.ts";
import { Guests } from "./Guests.ts";
import { NodeAgent } from "./NodeAgent.ts";
import { loadOrCreateNodeKey } from "./nodeKey.ts";
import { pinnedOf } from "./pinned.ts";

interface Options {
  readonly config?: string;
}

const CONFIG_HELP = "JSON configuration file; the environment (CHARTER_…) goes over it";

const program = new Command("charter-node").description("the agent of one platform").showHelpAfterError();

program
  .command("run")
  .description("register this platform and run the guests that are placed on it")
  .option("--config <file>", CONFIG_HELP)
  .action((options: Options) => runProgram((signal) => run(options, signal)));

program
  .command("doctor")
  .description("look at what this node needs, and change nothing; exit code 1 when something is missing")
  .option("--config <file>", CONFIG_HELP)
  .option("--json", "print JSON")
  .action((options: Options & { readonly json?: boolean }) =>
    runProgram(async () => {
      const findings = await examine(readNodeConfig(process.env, options.config));
      if (options.json === true) say({ findings });
      else
        for (const { what, ok, note } of findings)
          console.log(`${ok ? "ok     " : "missing"}  ${what}: ${note}`);
      if (findings.some(({ ok }) => !ok)) process.exitCode = 1;
    }),
  );

await program.parseAsync();

async function run(options: Options, signal: AbortSignal): Promise<void> {
  const config = readNodeConfig(process.env, options.config);
  const workdir = resolve(config.workdir);
  const pinned = pinnedOf(config.deployment);
  const {
    relayerUrls,
    platform,
    tee,
    gpu,
    runtime,
    engineSocket,
    hostPorts,
    reattestSeconds,
    status,
    tls,
    operator,
    pollMilliseconds,
  } = config;
  const simulatorDir = resolve(config.simulatorDir);
  const open = (): ReturnType<typeof openSource> =>
    openSource({ simulatorDir, platform, tee }, pinned.chainId);
  const account = loadOrCreateNodeKey(workdir);
  const clock = machineClock();
  const { chainId, genesisHash, ledger } = pinned;
  const driver = new ProcessDriver({
    common: {
      relayerUrls,
      chainId,
      genesisHash,
      ledger,
      simulatorDir,
      platform,
      tee,
      gpu,
      runtime,
      ...(engineSocket === undefined ? {} : { engineSocket }),
      hostPorts,
      reattestSeconds,
      status,
      ...(tls === undefined ? {} : { tls }),
      volumesDir: join(workdir, "volumes"),
    },
    workdir: join(workdir, "guests"),
    onLine: (guest, line) => {
      const told = parseLine(line);
      guests.heard(guest, told.state);
      say({ guest, ...told });
    },
  });
  const guests = new Guests({ driver, clock, report: (change) => say({ ...change }) });
  const agent = new NodeAgent({
    relayers: relayerUrls.map((url) => new RelayerClient(url)),
    register: { pinned, operator, account, openSource: open },
    account,
    platformId: requirePlatform(open()),
    guests,
    clock,
    pollMilliseconds,
    unixNow: () => Math.floor(Date.now() / 1_000),
    report: say,
  });
  driver.warm();
  try {
    await agent.run(signal);
  } finally {
    driver.close();
  }
}

/** A guest's line as an object; anything that is none is passed on as text. */
function parseLine(line: string): Record<string, unknown> {
  try {
    const json: unknown = JSON.parse(line);
    if (typeof json === "object" && json !== null && !Array.isArray(json)) return { ...json };
  } catch {
    // Below.
  }
  return { text: line };
}
