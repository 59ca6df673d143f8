import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { CharterError } from "../../protocol/errors/CharterError.ts";
import { logTail, startProcess, type ManagedProcess } from "./process.ts";

export interface AnvilOptions {
  readonly port: number;
  /** Chain state is loaded from here, saved on stop and every few seconds. */
  readonly stateFile: string;
  readonly logFile: string;
}

export interface Anvil extends ManagedProcess {
  readonly url: string;
}

/** anvil's native binary as npm carries it: npm's wrapper would orphan it when killed. */
export function anvilBinary(): string {
  const name = `@foundry-rs/anvil-${process.platform}-${process.arch === "x64" ? "amd64" : process.arch}`;
  try {
    return fileURLToPath(import.meta.resolve(`${name}/bin/anvil`));
  } catch (cause) {
    throw new CharterError("devnet/no-anvil", `expected npm's package ${name}`, {}, { cause });
  }
}

/**
 * A development chain on Osaka rules with one block a second, whose finalized block trails by two. anvil's default calls
 * block 0 finalized, and nothing would ever be granted.
 */
export async function startAnvil(options: AnvilOptions): Promise<Anvil> {
  const url = `http://127.0.0.1:${options.port}`;
  const child = startProcess({
    name: "anvil",
    command: anvilBinary(),
    args: [
      ...[
        "--host",
        "127.0.0.1",
        "--port",
        String(options.port),
        "--chain-id",
        "31337",
        "--hardfork",
        "osaka",
      ],
      ...["--block-time", "1", "--slots-in-an-epoch", "1"],
      ...["--state", options.stateFile, "--state-interval", "5", "--quiet"],
    ],
    logFile: options.logFile,
    stopSignal: "SIGINT", // what makes anvil write its state
  });
  for (let i = 0; i < 150 && child.isRunning(); i++) {
    if (await answers(url)) return { ...child, url };
    await delay(100);
  }
  await child.stop();
  throw new CharterError("devnet/not-ready", `anvil did not become ready:\n${logTail(options.logFile)}`, {
    url,
  });
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_chainId", params: [] }),
    });
    return response.ok;
  } catch {
    return false;
  }
}
