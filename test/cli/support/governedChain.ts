import Fastify from "fastify";

import type { Deployment } from "../../../protocol/deployment/deployment.ts";
import { emptyChainState } from "../../../protocol/state/chainState.ts";
import type { Bytes32 } from "../../../protocol/words/hex.ts";
import { installErrorHandler } from "../../../relayer/api/errors.ts";
import { ipfsRoutes } from "../../../relayer/api/ipfs/routes.ts";
import { devnetAccounts, type DevnetAccount } from "../../../scripts/devnet/accounts.ts";
import { deployDevnet } from "../../../scripts/devnet/deployment.ts";
import { startAnvil, type Anvil } from "../../support/anvil.ts";
import { makeFolder, type Folder } from "./folder.ts";
import type { Run } from "./runCharter.ts";
import { runInProcess } from "./runInProcess.ts";

/** Charter's contracts on a chain of their own, and the relayer's own routes for manifests and notes. */
export interface GovernedChain {
  readonly anvil: Anvil;
  readonly deployment: Deployment;
  readonly folder: Folder;
  /** What was published, by digest. */
  readonly published: ReadonlyMap<string, Uint8Array>;
  /** `charter --json` as one of the accounts, in this process. */
  readonly as: (account: DevnetAccount, ...args: string[]) => Promise<Run>;
  /** The environment of a `charter` that signs as `account`. */
  readonly environment: (account: DevnetAccount) => Record<string, string>;
  readonly pass: (seconds: number) => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** @param deploy what puts the contracts there; the devnet's own way by default. */
export async function startGovernedChain(
  deploy: (rpcUrl: string) => Promise<Deployment> = deployDevnet,
): Promise<GovernedChain> {
  const folder = makeFolder();
  const anvil = await startAnvil();
  const deployment = await deploy(anvil.url);
  const book = folder.file("deployment.json", JSON.stringify(deployment));
  const published = new Map<string, Uint8Array>();
  const relayer = Fastify();
  installErrorHandler(relayer);
  await relayer.register(async (scope) =>
    ipfsRoutes(scope, {
      blobs: {
        get: (digest: Bytes32) => Promise.resolve(published.get(digest) ?? null),
        has: (digest: Bytes32) => Promise.resolve(published.has(digest)),
        put: (digest: Bytes32, bytes: Uint8Array) => Promise.resolve(void published.set(digest, bytes)),
      },
      newestState: emptyChainState,
      publishers: [devnetAccounts.owner.address],
      chainId: deployment.chainId,
      appRegistry: deployment.appRegistry,
    }),
  );
  const relayerUrl = await relayer.listen({ host: "127.0.0.1", port: 0 });
  const environment = (account: DevnetAccount): Record<string, string> => ({
    CHARTER_RPC_URL: anvil.url,
    CHARTER_RELAYER_URL: relayerUrl,
    CHARTER_DEPLOYMENT: book,
    CHARTER_KEY: account.key,
  });
  return {
    anvil,
    deployment,
    folder,
    published,
    environment,
    as: (account, ...args) => runInProcess(["--json", ...args], environment(account)),
    pass: async (seconds) => {
      await anvil.rpc("evm_increaseTime", seconds);
      await anvil.rpc("evm_mine");
    },
    stop: async () => {
      await relayer.close();
      await anvil.stop();
      folder.remove();
    },
  };
}
