import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";

import { devnetAccounts } from "../../scripts/devnet/accounts.ts";
import { charterOk } from "../../scripts/devnet/cli.ts";
import { postgresDir } from "../../scripts/devnet/dataDir.ts";
import { startDevnet, type Devnet } from "../../scripts/devnet/devnet.ts";
import { gndBinary } from "../../scripts/devnet/graphNode.ts";
import { Steps } from "../../scripts/devnet/steps.ts";
import { httpAnswer } from "../../scripts/story/httpAnswer.ts";
import { SIMULATED_IMAGE } from "../../worker/tee/simulator/measurements.ts";
import { until } from "./support/until.ts";
import { withEngine } from "./support/withEngine.ts";

const { owner, guardian, lease } = devnetAccounts;

/** Chain, relayer, nodes and guests as `npm start` has them, and the decisions made with the real `charter` command. */
describe("a decision on chain, in containers", function () {
  this.timeout(240_000);
  const engine = withEngine("decisions in containers");
  let dir: string;
  let devnet: Devnet;
  let steps: Steps;

  before(async function () {
    if (!gndBinary()) {
      console.log("skipped: decisions in containers: graph-node's binary exists for Linux x64 only");
      this.skip();
    }
    process.env.CHARTER_ENGINE_SOCKET = engine().socket; // What the devnet's nodes are started with.
    dir = mkdtempSync(join(tmpdir(), "charter-docker-story-"));
    steps = new Steps(() => undefined, new AbortController().signal);
    devnet = await startDevnet(dir, steps);
  });
  after(async () => {
    delete process.env.CHARTER_ENGINE_SOCKET;
    await steps?.stop();
    for (const each of dir ? [dir, postgresDir(dir)] : []) rmSync(each, { recursive: true, force: true });
  });

  /** Options of a manifest whose page is this word. */
  const manifestOf = (page: string): string[] => {
    const file = join(dir, `${page}.json`);
    const command = ["sh", "-c", `echo ${page} > /tmp/index.html; exec httpd -f -p 8080 -h /tmp`];
    writeFileSync(
      file,
      JSON.stringify({ services: { web: { image: engine().image, command, tmpfs: "/tmp" } } }),
    );
    return ["--compose", file, "--name", page, "--lease-signer", lease.address, "--max-lease-seconds", "6"];
  };

  it("runs release 1, then 2 in its place, then 1 again after a revoke, and nothing after the last one", async () => {
    expect(devnet.engine).to.have.property("image");
    const created = await charterOk(devnet, owner, [
      ...["app", "create", ...manifestOf("one"), "--guardian", guardian.address, "--any-node"],
      ...["--notice", "3", "--grace", "600", "--replicas", "1"],
      ...["--os-image", `${SIMULATED_IMAGE.osImageHash}:${SIMULATED_IMAGE.measurementDigest}`],
    ]);
    const app = String(created.app);
    const releasesRunning = async (): Promise<string[]> => {
      const ids = await engine().running(`charter.app=${app.toLowerCase()}`);
      if (ids.length === 0) return [];
      const format = '{{index .Config.Labels "charter.release"}}';
      return (await engine().docker("inspect", "--format", format, ...ids)).trim().split("\n");
    };
    const onlyRuns = (release: number, page: string): Promise<unknown> =>
      until(`only release ${release} runs, and answers ${page}`, async () => {
        const answer = await httpAnswer(app, 8080, engine().socket);
        return answer?.body === page && (await releasesRunning()).join() === String(release);
      });
    await onlyRuns(1, "one");

    await charterOk(devnet, owner, ["release", "propose", app, ...manifestOf("two"), "--grace", "600"]);
    // In its grace the predecessor runs until the successor's container does: at no moment is there none.
    await until("release 2 runs", async () => {
      const running = await releasesRunning();
      expect(running).to.not.be.empty;
      return running.includes("2");
    });
    await onlyRuns(2, "two");

    await charterOk(devnet, guardian, ["release", "revoke", app, "2"]);
    await onlyRuns(1, "one");

    await charterOk(devnet, guardian, ["release", "revoke", app, "1"]);
    await until("nothing runs", async () => (await releasesRunning()).length === 0);
    expect(await httpAnswer(app, 8080, engine().socket)).to.equal(null);
  });
});
