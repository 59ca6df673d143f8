import { resolve } from "node:path";
import { Command } from "commander";
import type { PrivateKeyAccount } from "viem/accounts";

import type { Address } from "../../protocol/words/hex.ts";
import { machineClock } from "../clock.ts";
import { dockerHostSocket } from "../guest/compose/dockerHost.ts";
import { holdDirectory } from "../holdDirectory.ts";
import { runProgram, say } from "../program.ts";
import { anyRelayer } from "../session/anyRelayer.ts";
import { askLater } from "../session/askLater.ts";
import { RelayerClient } from "../session/RelayerClient.ts";
import { openMachineSource } from "../tee/openMachineSource.ts";
import { requirePlatform } from "../tee/requirePlatform.ts";
import { readNodeConfig, type NodeConfig } from "./config.ts";
import { describeNode } from "./describeNode.ts";
import { examine } from "./doctor.ts";
import { drainNode } from "./drain.ts";
import { openDriver } from "./drivers/openDriver.ts";
import { initialise, type InitOptions } from "./init.ts";
import { Guests } from "./Guests.ts";
import { NodeAgent } from "./NodeAgent.ts";
import { NodeReporter } from "./NodeReporter.ts";
import { loadOrCreateNodeKey } from "./nodeKey.ts";
import { pinnedOf } from "./pinned.ts";
import { registerNode, type RegisterOptions } from "./register.ts";

interface Options {
  readonly config?: string;
}

const CONFIG_HELP = "JSON configuration file; the environment (CHARTER_…) goes over it";

const program: Command = new Command("charter-node")
  .description("the agent of one platform")
  .showHelpAfterError();

program
  .command("run")
  .description("register this platform and run the guests that are placed on it")
  .option("--config <file>", CONFIG_HELP)
  .action((options: Options) => runProgram((signal) => run(options, signal)));

program
  .command("init")
  .description("write a configuration for this machine; what is missing is asked for where a person is there")
  .option("--out <file>", "file to write; one that exists is left alone", "node.json")
  .option("--relayers <urls>", "relayers' URLs, separated by commas")
  .option("--deployment <file>", "the chain's address book")
  .option("--workdir <dir>", "keeps the node's key and the guests' files", ".charter/node")
  .option("--simulator-dir <dir>", "use the simulator of this folder: development chains only")
  .option("--platform <name>", "name of the simulated machine", "my-machine")
  .option("--vm-config-file <file>", "TDX without dstack, and SEV-SNP: JSON with os_image_hash")
  .option("--mr-config-file <file>", "SEV-SNP: dstack's configuration document")
  .option("--places <file>", "JSON that says where the hardware is, where that is not the usual place")
  .option("--vmm-url <url>", "start guests as VMs of this dstack-vmm, and register from a TD of this machine")
  .option("--vmm-image <name>", "dstack OS image of those VMs")
  .option(
    "--tls-host <address>",
    "address on which apps that ask for attested TLS answer (a simulated machine: 127.0.0.1); without it they are refused",
  )
  .action((options: InitOptions) =>
    runProgram(async () => {
      const socket = process.env.CHARTER_ENGINE_SOCKET ?? dockerHostSocket(process.env);
      const { file, evidence, found } = await initialise({
        ...options,
        ...(socket === undefined ? {} : { engineSocket: socket }),
      });
      say({ written: file, evidence, found });
    }),
  );

program
  .command("register")
  .description("give this machine's evidence once, register or renew the node, and end")
  .option("--config <file>", CONFIG_HELP)
  .action((options: Options) => runProgram((signal) => registerOnce(options, signal)));

for (const [name, draining, description] of [
  ["drain", true, "have nothing more placed on this node: what runs moves elsewhere first"],
  ["undrain", false, "have apps placed on this node again"],
] as const) {
  program
    .command(name)
    .description(description)
    .option("--config <file>", CONFIG_HELP)
    .action((options: Options) =>
      runProgram(async (signal) => {
        const config = readNodeConfig(process.env, options.config);
        const drained = await drainNode(
          {
            relayers: config.relayerUrls.map((url) => new RelayerClient(url)),
            pinned: pinnedOf(config.deployment),
            operator: config.operator,
            key: loadOrCreateNodeKey(resolve(config.workdir)).address.toLowerCase() as Address,
            draining,
          },
          signal,
        );
        say({ ...drained });
        if (drained.refused.length > 0) process.exitCode = 1;
      }),
    );
}

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
  // Two agents of one key would stop each other's guests.
  const held = holdDirectory(workdir);
  try {
    await runHeld(config, workdir, signal);
  } finally {
    held.release();
  }
}

/** Runs the agent of a workdir that is ours. */
async function runHeld(config: NodeConfig, workdir: string, signal: AbortSignal): Promise<void> {
  const pinned = pinnedOf(config.deployment);
  const account = loadOrCreateNodeKey(workdir);
  const clock = machineClock();
  const onLine = (guest: string, line: string): void => {
    const told = parseLine(line);
    guests.heard(guest, told.state);
    say({ guest, ...told });
  };
  const driver = openDriver(config, workdir, account.address.toLowerCase() as Address, onLine);
  await driver.adopt?.();
  const guests: Guests = new Guests({
    driver,
    clock,
    report: (change) => {
      say({ ...change });
      if (change.change === "declined") reporter.soon(); // So that relayers place it elsewhere.
    },
    maxGuests: config.maxGuests,
  });
  const register = config.registers ? registration(config, account) : null;
  const agent = new NodeAgent({
    relayers: config.relayerUrls.map((url) => new RelayerClient(url)),
    register,
    pinned,
    account,
    platformId: register === null ? null : requirePlatform(await register.openSource()),
    guests,
    clock,
    pollMilliseconds: config.pollMilliseconds,
    unixNow: () => Math.floor(Date.now() / 1_000),
    report: say,
  });
  const reporter: NodeReporter = new NodeReporter({
    relayers: config.relayerUrls.map((url) => new RelayerClient(url, 5_000)),
    ...pinned,
    account,
    describe: () =>
      describeNode({ ...config, workdir }, { guests: driver.list().length, apps: guests.apps() }),
    clock,
    unixNow: () => Math.floor(Date.now() / 1_000),
    say,
  });
  driver.warm?.();
  try {
    const ended = new AbortController();
    const reporting = reporter.run(AbortSignal.any([signal, ended.signal]));
    await agent.run(signal).finally(() => ended.abort());
    await reporting;
  } finally {
    driver.close?.();
  }
}

/** Gives this machine's evidence once: for a TD whose host runs the agent, and to see whether it is accepted. */
async function registerOnce(options: Options, signal: AbortSignal): Promise<void> {
  const config = readNodeConfig(process.env, options.config);
  const account = loadOrCreateNodeKey(resolve(config.workdir));
  const relayers = config.relayerUrls.map((url) => new RelayerClient(url));
  const { intent } = await askLater(machineClock(), signal, () =>
    anyRelayer(relayers, (relayer) => registerNode(relayer, registration(config, account), signal)),
  );
  say({ state: "registering", key: account.address.toLowerCase(), intent });
}

function registration(config: NodeConfig, account: PrivateKeyAccount): RegisterOptions {
  const pinned = pinnedOf(config.deployment);
  // A registration is of the machine: its GPUs are asked for by the guests that use them.
  const machine = { ...config, gpu: false };
  return {
    pinned,
    operator: config.operator,
    account,
    openSource: () => openMachineSource(machine, pinned.chainId),
  };
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
