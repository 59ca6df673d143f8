import { Level, nameOf } from "../../protocol/words/enums.ts";
import type { Devnet } from "../devnet/devnet.ts";
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
      "",
      `explorer      ${devnet.relayerUrl}/`,
      `GraphQL       ${devnet.relayerUrl}/graphql`,
      `health        ${devnet.relayerUrl}/health`,
      `boot auth     ${devnet.bootAuthUrl}/bootAuth/app`,
      `graph-node    ${devnet.subgraphUrl}`,
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
