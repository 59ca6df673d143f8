import { setTimeout as delay } from "node:timers/promises";

import { devnetAccounts } from "../devnet/accounts.ts";
import { charter, charterOk } from "../devnet/cli.ts";
import { indexedRelease, manifestOf, nothing, step, type Scene } from "./scene.ts";

/** Holds the devnet's votes. */
const { owner: voter } = devnetAccounts;

/** A DAO's app: what its members vote for waits the Timelock's delay and the app's notice, and then runs. */
export async function tellOfADao(scene: Scene): Promise<void> {
  const { devnet } = scene.options;
  const { reads } = scene;
  const { timelock } = devnet.deployment;
  let app = "";
  await step(
    scene,
    "an app of the DAO is created, owned by its Timelock",
    async () => {
      const created = await charterOk(devnet, voter, [
        ...[
          "app",
          "create",
          ...manifestOf(devnet, "dao"),
          "--owner",
          timelock,
          "--notice",
          "5",
          "--any-node",
        ],
        ...["--salt", `0x${Date.now().toString(16).padStart(64, "0")}`],
      ]);
      app = String(created.app);
    },
    {
      chain: async () => {
        const { owner, ownerCode } = await reads.app(app).control();
        return owner.toLowerCase() === timelock && { owner, ownerCode };
      },
      graphql: async () => {
        const found = await reads.graphql<{ app: { owner: string } | null }>(
          `{ app(id: "${app}") { owner } }`,
        );
        return found.app?.owner === timelock && found.app;
      },
    },
  );
  await step(scene, "its members vote for release 2, and the Timelock proposes it", () => vote(scene, app), {
    chain: async () => {
      const last = Number(await reads.app(app).lastRelease());
      return last === 2 && { lastRelease: last };
    },
    graphql: async () => {
      const release = await indexedRelease(reads, app, 2);
      return release?.proposedBy === timelock && release;
    },
  });
  await step(scene, "the release that was voted for activates after its notice", nothing, {
    chain: async () => {
      const head = Number(await reads.app(app).head());
      return head === 2 && { head };
    },
    graphql: async () => {
      const release = await indexedRelease(reads, app, 2);
      const found = await reads.graphql<{ _meta: { block: { timestamp: number } } }>(
        "{ _meta { block { timestamp } } }",
      );
      return Number(release?.activatesAt ?? Infinity) <= found._meta.block.timestamp && { ...release };
    },
  });
}

/** Delegation, proposal, vote, queue and execution: each as soon as the Governor and the Timelock let it. */
async function vote(scene: Scene, app: string): Promise<void> {
  const { devnet } = scene.options;
  await charterOk(devnet, voter, ["dao", "delegate", voter.address]);
  const proposed = await charterOk(devnet, voter, [
    "dao",
    "propose-release",
    app,
    ...manifestOf(devnet, "dao-2"),
    "--title",
    "Second",
  ]);
  const proposal = String(proposed.proposal);
  await whenPossible(scene, ["dao", "vote", proposal, "for", "--reason", "reviewed"]);
  await whenPossible(scene, ["dao", "queue", proposal]);
  await whenPossible(scene, ["dao", "execute", proposal]);
}

/** Tries until the contracts no longer refuse; what they last refused with is the error after a minute. */
async function whenPossible(scene: Scene, args: readonly string[]): Promise<void> {
  const { devnet, signal } = scene.options;
  const deadline = performance.now() + 60_000;
  for (;;) {
    signal.throwIfAborted();
    const answer = await charter(devnet, voter, args);
    if (answer.exitCode === 0) return;
    if (performance.now() > deadline) {
      throw new Error(`charter ${args.join(" ")}: ${JSON.stringify(answer.error)}`);
    }
    await delay(500, undefined, { signal });
  }
}
