import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";

import type { DevnetAccount } from "./accounts.ts";
import type { Devnet } from "./devnet.ts";

const MAIN = fileURLToPath(new URL("../../cli/main.ts", import.meta.url));

/** What `charter --json` said: its result, or its error and exit code. */
export interface CliAnswer {
  readonly exitCode: number;
  readonly result: Readonly<Record<string, unknown>>;
  readonly error: { readonly code: string; readonly details: Readonly<Record<string, unknown>> } | null;
}

/** What the command has to know of a devnet. */
type Reachable = Pick<Devnet, "rpcUrl" | "relayerUrl" | "deploymentFile">;

/** Runs the real `charter` command against a devnet, as one of its accounts. */
export function charter(
  devnet: Reachable,
  account: DevnetAccount,
  args: readonly string[],
): Promise<CliAnswer> {
  const env = {
    ...process.env,
    CHARTER_RPC_URL: devnet.rpcUrl,
    CHARTER_RELAYER_URL: devnet.relayerUrl,
    CHARTER_DEPLOYMENT: devnet.deploymentFile,
    CHARTER_KEY: account.key,
  };
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [MAIN, "--json", ...args],
      { env, timeout: 60_000 },
      (error, stdout, stderr) => {
        resolve({
          exitCode: typeof error?.code === "number" ? error.code : error ? 1 : 0,
          result: lastObject(stdout) ?? {},
          error: (lastObject(stderr)?.error as CliAnswer["error"]) ?? null,
        });
      },
    );
  });
}

/** Runs it and demands success. */
export async function charterOk(
  devnet: Reachable,
  account: DevnetAccount,
  args: readonly string[],
): Promise<Readonly<Record<string, unknown>>> {
  const answer = await charter(devnet, account, args);
  if (answer.exitCode !== 0) {
    throw new Error(
      `charter ${args.join(" ")} exited with ${answer.exitCode}: ${JSON.stringify(answer.error)}`,
    );
  }
  return answer.result;
}

function lastObject(text: string): Record<string, unknown> | null {
  for (const line of text.trim().split("\n").reverse()) {
    try {
      const value = JSON.parse(line) as unknown;
      if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
    } catch {
      // Not this line.
    }
  }
  return null;
}
