import { spawn } from "node:child_process";

import { anvilBinary } from "../../scripts/devnet/anvil.ts";

/** A chain of a test's own. */
export interface Anvil {
  readonly url: string;
  readonly port: number;
  readonly rpc: <T = unknown>(method: string, ...params: unknown[]) => Promise<T>;
  stop(): Promise<void>;
}

/** Starts anvil (Osaka) on a free port; `flags` as on its command line. Stop it by its own handle. */
export async function startAnvil(flags: readonly string[] = []): Promise<Anvil> {
  const child = spawn(anvilBinary(), ["--port", "0", "--hardfork", "osaka", ...flags], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exited = new Promise<void>((done) => child.once("exit", () => done()));
  const port = await new Promise<number>((done, fail) => {
    let said = "";
    const streams = [child.stdout, child.stderr];
    const hear = (chunk: Buffer) => {
      said += chunk.toString("utf8");
      const found = /Listening on [^:]+:(\d+)/.exec(said);
      if (!found) return;
      done(Number(found[1]));
      // It tells of every call from now on: read, so that it never waits for us, and kept nowhere.
      for (const stream of streams) stream.off("data", hear).resume();
    };
    for (const stream of streams) stream.on("data", hear);
    child.once("error", fail);
    child.once("exit", (code) => fail(new Error(`anvil exited with ${code} while starting: ${said}`)));
  });
  const url = `http://127.0.0.1:${port}`;
  let id = 0;
  return {
    url,
    port,
    rpc: async <T>(method: string, ...params: unknown[]): Promise<T> => {
      const response = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ jsonrpc: "2.0", id: ++id, method, params }),
      });
      const answer = (await response.json()) as { result?: T; error?: { message: string } };
      if (answer.error) throw new Error(`${method}: ${answer.error.message}`);
      return answer.result as T;
    },
    stop: async () => {
      child.kill("SIGTERM");
      await exited;
    },
  };
}
