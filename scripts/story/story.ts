import { SIMULATED_IMAGE } from "../../worker/tee/simulator/measurements.ts";
import { devnetAccounts } from "../devnet/accounts.ts";
import { charter, charterOk } from "../devnet/cli.ts";
import { tellOfADao } from "./dao.ts";
import { tellOfASafe } from "./safe.ts";
import { leasedInstances, liveKeys, otherLeases } from "./instances.ts";
import type { StepReport } from "./observe.ts";
import {
  indexedRelease,
  manifestOf,
  nothing,
  sceneOf,
  step,
  type Scene,
  type StoryOptions,
} from "./scene.ts";

const { owner, guardian } = devnetAccounts;

/** Creates the hello app, and waits until all of its instances are leased and live. Its address. */
export async function createHello(options: StoryOptions): Promise<{ app: string; report: StepReport[] }> {
  const scene = sceneOf(options);
  try {
    return { app: await create(scene), report: scene.report };
  } finally {
    scene.reads.close();
  }
}

async function create(scene: Scene): Promise<string> {
  const { devnet, noticeSeconds, graceSeconds, replicas } = scene.options;
  const { reads } = scene;
  await step(scene, "three nodes are registered", nothing, {
    chain: async () => {
      const count = Number(await reads.nodes.nodeCount());
      return count >= 3 && { nodeCount: count };
    },
    graphql: async () => {
      const { nodes } = await reads.graphql<{ nodes: { number: number }[] }>("{ nodes { number } }");
      return nodes.length >= 3 && { nodes: nodes.length };
    },
  });
  let app = "";
  await step(
    scene,
    "app created, release 1 active",
    async () => {
      const image = `${SIMULATED_IMAGE.osImageHash}:${SIMULATED_IMAGE.measurementDigest}`;
      const salt = `0x${Date.now().toString(16).padStart(64, "0")}`;
      const created = await charterOk(devnet, owner, [
        ...[
          "app",
          "create",
          ...manifestOf(devnet, "hello"),
          "--guardian",
          guardian.address,
          "--any-node",
          "--salt",
          salt,
        ],
        ...[
          "--notice",
          String(noticeSeconds),
          "--grace",
          String(graceSeconds),
          "--replicas",
          String(replicas),
        ],
        ...["--os-image", image, "--accept-boot-info"],
      ]);
      app = String(created.app);
    },
    {
      chain: async () => {
        const head = Number(await reads.app(app).head());
        return head === 1 && { app, head };
      },
      graphql: async () => {
        const found = await reads.graphql<{ app: { lastRelease: number; owner: string } | null }>(
          `{ app(id: "${app}") { lastRelease owner } }`,
        );
        return found.app?.lastRelease === 1 && found.app;
      },
    },
  );
  await running(scene, "instances of release 1 are live", app, 1);
  return app;
}

/** All replicas hold leases for this release and nothing else of the app does; the ledger calls each of them live. */
function running(scene: Scene, name: string, app: string, release: number, act = nothing): Promise<void> {
  const { reads } = scene;
  const { replicas } = scene.options;
  return step(scene, name, act, {
    chain: async () => {
      const keys = (await leasedInstances(reads, app, release)).map(({ key }) => key);
      const live = await liveKeys(reads, app, keys);
      return live.length >= replicas && { live };
    },
    graphql: async () => {
      const leased = await leasedInstances(reads, app, release);
      const isAlone = (await otherLeases(reads, app, release)) === 0;
      return leased.length >= replicas && isAlone && { leased };
    },
  });
}

/**
 * The whole story: create, propose v2 with notice, activation, instances move, revoke v2 within v1's grace, instances fall
 * back, Frozen, a further proposal refused; then a DAO's upgrade, from the vote to its activation, and a Safe that gives up control. Throws `NotObserved` where chain or GraphQL does not show a step.
 */
export async function tellStory(options: StoryOptions): Promise<StepReport[]> {
  const scene = sceneOf(options);
  try {
    const app = await create(scene);
    await upgrade(scene, app);
    await fallBack(scene, app);
    await freeze(scene, app);
    await tellOfADao(scene);
    await tellOfASafe(scene);
    return scene.report;
  } finally {
    scene.reads.close();
  }
}

async function upgrade(scene: Scene, app: string): Promise<void> {
  const { devnet, graceSeconds, noticeSeconds } = scene.options;
  const { reads } = scene;
  await step(
    scene,
    "release 2 proposed, pending for its notice",
    () =>
      charterOk(devnet, owner, [
        ...["release", "propose", app, ...manifestOf(devnet, "hello-2"), "--grace", String(graceSeconds)],
      ]),
    {
      chain: async () => {
        const last = Number(await reads.app(app).lastRelease());
        return last === 2 && { lastRelease: last, noticeSeconds };
      },
      graphql: async () => (await indexedRelease(reads, app, 2)) ?? false,
    },
  );
  await step(scene, "release 2 activates with no further transaction", nothing, {
    chain: async () => {
      const head = Number(await reads.app(app).head());
      return head === 2 && { head };
    },
    graphql: async () => {
      const release = await indexedRelease(reads, app, 2);
      const { _meta } = await reads.graphql<{ _meta: { block: { timestamp: number } } }>(
        "{ _meta { block { timestamp } } }",
      );
      return release !== undefined && Number(release.activatesAt) <= _meta.block.timestamp && { ...release };
    },
  });
  await running(scene, "instances moved to release 2", app, 2);
}

async function fallBack(scene: Scene, app: string): Promise<void> {
  const { devnet } = scene.options;
  const { reads } = scene;
  await step(
    scene,
    "guardian revokes release 2 within release 1's grace",
    () => charterOk(devnet, guardian, ["release", "revoke", app, "2"]),
    {
      chain: async () => {
        const head = Number(await reads.app(app).head());
        return head === 1 && !(await reads.app(app).isReleaseNumberAllowed(2)) && { head };
      },
      graphql: async () => {
        const release = await indexedRelease(reads, app, 2);
        return release?.revoked === true && release;
      },
    },
  );
  await running(scene, "instances fell back to release 1", app, 1);
}

async function freeze(scene: Scene, app: string): Promise<void> {
  const { devnet } = scene.options;
  const { reads } = scene;
  await step(
    scene,
    "level raised to Frozen",
    () => charterOk(devnet, owner, ["renounce", app, "--to", "Frozen", "--yes"]),
    {
      chain: async () => {
        const level = Number((await reads.app(app).control()).level);
        return level === 4 && { level };
      },
      graphql: async () => {
        const found = await reads.graphql<{ app: { level: number } | null }>(
          `{ app(id: "${app}") { level } }`,
        );
        return found.app?.level === 4 && found.app;
      },
    },
  );
  await step(
    scene,
    "a further proposal is refused",
    async () => {
      const answer = await charter(devnet, owner, [
        "release",
        "propose",
        app,
        ...manifestOf(devnet, "hello-3"),
      ]);
      if (answer.exitCode !== 2 || answer.error?.details.error !== "LevelForbids") {
        throw new Error(`expected LevelForbids and exit code 2, got ${JSON.stringify(answer)}`);
      }
    },
    {
      chain: async () => {
        const last = Number(await reads.app(app).lastRelease());
        return last === 2 && { lastRelease: last, refused: "LevelForbids" };
      },
      graphql: async () => {
        const found = await reads.graphql<{
          app: { lastRelease: number; releases: { number: number }[] } | null;
        }>(`{ app(id: "${app}") { lastRelease releases { number } } }`);
        return found.app?.lastRelease === 2 && found.app.releases.length === 2 && found.app;
      },
    },
  );
}
