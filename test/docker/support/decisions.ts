import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { expect } from "chai";

import { devnetAccounts } from "../../../scripts/devnet/accounts.ts";
import { charterOk } from "../../../scripts/devnet/cli.ts";
import { httpAnswer } from "../../../scripts/story/httpAnswer.ts";
import { SIMULATED_IMAGE } from "../../../worker/tee/simulator/measurements.ts";
import type { TestEngine } from "./engine.ts";
import { until } from "./until.ts";

const { owner, guardian, lease } = devnetAccounts;

/** A devnet that is up, and a folder to write into. */
export interface Place {
  readonly rpcUrl: string;
  readonly relayerUrl: string;
  readonly deploymentFile: string;
  readonly dir: string;
}

/** Decisions on chain, made with the real `charter` command, that end in containers which run or stop. */
export function describeDecisions(engine: () => TestEngine | undefined, place: () => Place): void {
  it("runs release 1, then 2 in its place, then 1 again after a revoke, and nothing after the last one", async function () {
    const running = engine();
    if (running === undefined) return this.skip();
    const { image, socket } = running;

    /** Options of a manifest whose page is this word. */
    const manifestOf = (page: string): string[] => {
      const file = join(place().dir, `${page}.json`);
      const command = ["sh", "-c", `echo ${page} > /tmp/index.html; exec httpd -f -p 8080 -h /tmp`];
      writeFileSync(file, JSON.stringify({ services: { web: { image, command, tmpfs: "/tmp" } } }));
      return ["--compose", file, "--name", page, "--lease-signer", lease.address, "--max-lease-seconds", "6"];
    };
    const created = await charterOk(place(), owner, [
      ...["app", "create", ...manifestOf("one"), "--guardian", guardian.address, "--any-node"],
      ...["--notice", "3", "--grace", "600", "--replicas", "1"],
      ...["--os-image", `${SIMULATED_IMAGE.osImageHash}:${SIMULATED_IMAGE.measurementDigest}`],
    ]);
    const app = String(created.app);
    const releasesRunning = async (): Promise<string[]> => {
      const ids = await running.running(`charter.app=${app.toLowerCase()}`);
      if (ids.length === 0) return [];
      const format = '{{index .Config.Labels "charter.release"}}';
      return (await running.docker("inspect", "--format", format, ...ids)).trim().split("\n");
    };
    const onlyRuns = (release: number, page: string): Promise<unknown> =>
      until(`only release ${release} runs, and answers ${page}`, async () => {
        const answer = await httpAnswer(app, 8080, socket);
        return answer?.body === page && (await releasesRunning()).join() === String(release);
      });
    await onlyRuns(1, "one");

    await charterOk(place(), owner, ["release", "propose", app, ...manifestOf("two"), "--grace", "600"]);
    // In its grace the predecessor runs until the successor's container does: at no moment is there none.
    await until("release 2 runs", async () => {
      const releases = await releasesRunning();
      expect(releases).to.not.be.empty;
      return releases.includes("2");
    });
    await onlyRuns(2, "two");

    await charterOk(place(), guardian, ["release", "revoke", app, "2"]);
    await onlyRuns(1, "one");

    await charterOk(place(), guardian, ["release", "revoke", app, "1"]);
    await until("nothing runs", async () => (await releasesRunning()).length === 0);
    expect(await httpAnswer(app, 8080, socket)).to.equal(null);
  });
}
