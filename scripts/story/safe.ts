import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { devnetAccounts } from "../devnet/accounts.ts";
import { charterOk } from "../devnet/cli.ts";
import { deploySafeContracts } from "../devnet/safeContracts.ts";
import { manifestOf, step, type Scene } from "./scene.ts";

const { deployer, owner: first, operator: second, guardian: third } = devnetAccounts;
const SEALED = 2;

/** A Safe's app: one owner writes the transaction into a file, another adds a signature and executes it. */
export async function tellOfASafe(scene: Scene): Promise<void> {
  const { devnet } = scene.options;
  const { reads } = scene;
  const contracts = join(devnet.dir, "safe-contracts.json");
  let safe = "";
  let app = "";
  await step(
    scene,
    "an app of a 2-of-3 Safe is created",
    async () => {
      const safes = await deploySafeContracts(devnet.rpcUrl, deployer);
      writeFileSync(contracts, `${JSON.stringify({ [devnet.deployment.chainId]: safes.addresses })}\n`);
      safe = await safes.createSafe([first.address, second.address, third.address], 2);
      const created = await charterOk(devnet, first, [
        ...["app", "create", ...manifestOf(devnet, "safe"), "--owner", safe, "--notice", "5", "--any-node"],
        ...["--salt", `0x${Date.now().toString(16).padStart(64, "0")}`],
      ]);
      app = String(created.app);
    },
    {
      chain: async () => {
        const { owner, ownerCode } = await reads.app(app).control();
        return owner.toLowerCase() === safe && { owner, ownerCode };
      },
      graphql: async () => {
        const found = await reads.graphql<{ app: { owner: string } | null }>(
          `{ app(id: "${app}") { owner } }`,
        );
        return found.app?.owner === safe && found.app;
      },
    },
  );
  await step(
    scene,
    "two of the Safe's owners give up every loosening",
    async () => {
      const file = join(devnet.dir, "renounce.json");
      const renounce = ["--safe-contracts", contracts, "--safe", safe, "--safe-tx", file];
      await charterOk(devnet, first, [...renounce, "renounce", app, "--to", "Sealed", "--yes"]);
      await charterOk(devnet, second, [...renounce, "--execute", "renounce", app, "--to", "Sealed", "--yes"]);
    },
    {
      chain: async () => {
        const level = Number((await reads.app(app).control()).level);
        return level === SEALED && { level };
      },
      graphql: async () => {
        const found = await reads.graphql<{ app: { level: number } | null }>(
          `{ app(id: "${app}") { level } }`,
        );
        return found.app?.level === SEALED && found.app;
      },
    },
  );
}
