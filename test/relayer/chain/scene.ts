import { appAbi } from "../../../protocol/abi/app.ts";
import { appRegistryAbi } from "../../../protocol/abi/appRegistry.ts";
import type { Deployment } from "../../../protocol/deployment/deployment.ts";
import type { Address, Bytes32 } from "../../../protocol/words/hex.ts";
import type { Anvil } from "../../support/anvil.ts";
import { emit, placeEmitter } from "../../support/emitter.ts";

export const word = (n: number | bigint) => `0x${n.toString(16).padStart(64, "0")}` as Bytes32;
export const account = (n: number) => `0x${n.toString(16).padStart(40, "0")}` as Address;

export const OWNER = account(0xa1);
export const APP = account(0xa990);

/** A deployment whose contracts emit what a test tells them to. */
export async function placeDeployment(anvil: Anvil): Promise<Deployment> {
  const genesis = await anvil.rpc<{ hash: Bytes32 }>("eth_getBlockByNumber", "0x0", false);
  const deployment: Deployment = {
    chainId: 31_337,
    genesisHash: genesis.hash,
    startBlock: 0,
    appRegistry: account(0xc1),
    nodeRegistry: account(0xc2),
    attestationLedger: account(0xc3),
    committeeVerifier: account(0xc4),
    advisorySets: account(0xca),
    endorsements: account(0xcb),
    timelock: account(0xc5),
    governor: account(0xc6),
    votes: account(0xc7),
  };
  const { appRegistry, nodeRegistry, attestationLedger, committeeVerifier } = deployment;
  for (const address of [appRegistry, nodeRegistry, attestationLedger, committeeVerifier, APP]) {
    await placeEmitter(anvil, address);
  }
  return deployment;
}

/** The two events of a new app with one release, in the order that the registry emits them. */
export async function emitApp(anvil: Anvil, deployment: Deployment, app: Address, composeHash: Bytes32) {
  await emit(anvil, deployment.appRegistry, appRegistryAbi, "AppCreated", {
    app,
    owner: OWNER,
    guardian: account(0),
    settingsDigest: word(1),
    salt: word(2),
    actor: OWNER,
  });
  await emit(anvil, app, appAbi, "AppInitialized", {
    registry: deployment.appRegistry,
    owner: OWNER,
    guardian: account(0),
    settings: { noticeSeconds: 60, graceSeconds: 30, composeHash, noteDigest: word(3), settings: [] },
  });
  // One block: in truth it is one transaction.
  await anvil.rpc("evm_mine");
}

/** A proposal of release `number`, active from `activatesAt` on, in a block of its own. */
export async function emitProposal(anvil: Anvil, app: Address, number: number, activatesAt: number) {
  await emit(anvil, app, appAbi, "ReleaseProposed", {
    number,
    composeHash: word(0x1000 + number),
    noteDigest: word(0x2000 + number),
    activatesAt,
    graceSeconds: 10,
    predecessor: number - 1,
    predecessorEndsAt: number === 1 ? 0 : activatesAt + 10,
    cutRelease: 0,
    actor: OWNER,
  });
  await anvil.rpc("evm_mine");
}
