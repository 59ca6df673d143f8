import { setTimeout as delay } from "node:timers/promises";

import { Level, nameOf } from "../../protocol/words/enums.ts";
import type { Devnet } from "../devnet/devnet.ts";
import { engineSocket } from "../devnet/helloImage.ts";
import { httpAnswer } from "./httpAnswer.ts";
import { readsOf } from "./reads.ts";

/** One screen: what runs, under which rules, and where to look. */
export async function summary(devnet: Devnet, app: string): Promise<string> {
  const reads = readsOf(devnet);
  try {
    const control = await reads.app(app).control();
    const releases = await reads.app(app).liveReleases();
    const list = releases.map(({ number }) => String(number)).join(", ") || "none";
    return [
      "",
      `hello is app ${app}`,
      `  releases that may run: ${list}; level ${nameOf(Level, Number(control.level) as Level)}`,
      `  owner ${control.owner}, guardian ${control.guardian}`,
      `  new code no sooner than ${control.noticeSeconds} s after it is proposed; grace at most ${control.graceSeconds} s`,
      `  ${await running(devnet, app)}`,
      "",
      `explorer      ${devnet.relayerUrl}/`,
      `GraphQL       ${devnet.relayerUrl}/graphql`,
      `health        ${devnet.relayerUrl}/health`,
      `boot auth     ${devnet.bootAuthUrl}/bootAuth/app`,
      `graph-node    ${devnet.subgraphUrl}`,
      `vendor        ${devnet.vendorUrl} (simulated: what evidence is judged by)`,
      `chain         ${devnet.rpcUrl} (chain id ${devnet.deployment.chainId})`,
      `logs          ${devnet.dir}/logs`,
      "",
      "graph-node listens on every interface: do not run this on a network that you do not trust.",
      "Ctrl-C stops everything; the next `npm start` goes on from here.",
    ].join("\n");
  } finally {
    reads.close();
  }
}

/** Port of the hello app's page, inside its own network. */
const HELLO_PORT = 8080;
const ANSWER_PATIENCE_MS = 20_000;

/** The app's own answer where containers run; otherwise that none do, and why. */
async function running({ engine }: Devnet, app: string): Promise<string> {
  if ("why" in engine) return `no container runs (leases are held all the same): ${engine.why}`;
  const deadline = performance.now() + ANSWER_PATIENCE_MS;
  for (;;) {
    const answer = await httpAnswer(app, HELLO_PORT, engineSocket());
    if (answer) return `${answer.url} answers ${answer.status} "${answer.body}" (${engine.note})`;
    if (performance.now() > deadline) return `its containers cannot be reached from here (${engine.note})`;
    await delay(250);
  }
}
