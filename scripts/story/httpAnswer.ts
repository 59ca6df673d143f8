import { request } from "node:http";
import { tmpdir } from "node:os";

import { commandsOf } from "../../worker/guest/compose/runCommand.ts";

const TIMEOUT_MS = 5_000;

/** What one container of an app answers over HTTP. */
export interface HttpAnswer {
  readonly url: string;
  readonly status: number;
  readonly body: string;
}

/**
 * Asks the running containers of an app for `/`, from this machine, at their own addresses.
 * @param app address; `port` inside the container.
 * @returns the first answer; null where none runs or none can be reached (engines inside a VM have their own network).
 */
export async function httpAnswer(
  app: string,
  port: number,
  engineSocket?: string,
): Promise<HttpAnswer | null> {
  const run = commandsOf(engineSocket);
  const docker = (...args: string[]): Promise<string> =>
    run("docker", args, { cwd: tmpdir(), timeoutMs: TIMEOUT_MS });
  try {
    const ids = await docker("ps", "--quiet", "--filter", `label=charter.app=${app.toLowerCase()}`);
    for (const id of ids.split("\n").filter(Boolean)) {
      const format = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}";
      const [address] = (await docker("inspect", "--format", format, id)).trim().split(" ");
      const answer = address ? await get(`http://${address}:${port}/`).catch(() => null) : null;
      if (answer) return answer;
    }
  } catch {
    // The engine is gone: no answer.
  }
  return null;
}

/** Without a proxy, and without a connection that is kept. */
function get(url: string): Promise<HttpAnswer> {
  return new Promise((done, fail) => {
    const asked = request(url, { agent: false, timeout: TIMEOUT_MS }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (text: string) => (body += text));
      response.on("end", () =>
        done({ url, status: response.statusCode ?? 0, body: body.trim().slice(0, 200) }),
      );
      response.on("error", fail);
    });
    asked.on("timeout", () => asked.destroy(new Error("no answer in time")));
    asked.on("error", fail);
    asked.end();
  });
}
