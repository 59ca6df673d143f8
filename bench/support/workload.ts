import { createHash } from "node:crypto";

import { encodeFunctionData } from "viem";
import type { PrivateKeyAccount } from "viem/accounts";

import { appAbi } from "../../protocol/abi/app.ts";
import { nodeInfoSchema } from "../../protocol/session/messages.ts";
import type { NodeInfo } from "../../protocol/session/messages.ts";
import { ProofSystem } from "../../protocol/words/enums.ts";
import { parseBytes32, parseComposeHash, toHex } from "../../protocol/words/hex.ts";
import type { Address, Bytes32, ComposeHash, Hex } from "../../protocol/words/hex.ts";
import { createApp } from "../../test/relayer/support/app.ts";
import { newKey, send, Worker } from "../../test/relayer/support/guest.ts";
import type { Stack } from "../../test/relayer/support/stack.ts";
import { until } from "../../test/relayer/support/until.ts";

export const sha256 = (bytes: Uint8Array): Bytes32 =>
  parseBytes32(toHex(createHash("sha256").update(bytes).digest()));

/** Sends a transaction of the owner's and waits for it; the block that holds it. */
export async function transact({ wallet, client }: Stack, to: Address, data: Hex): Promise<bigint> {
  const hash = await wallet.sendTransaction({ to, data, chain: null, account: wallet.account! });
  const { status, blockNumber } = await client.waitForTransactionReceipt({ hash, pollingInterval: 50 });
  if (status !== "success") throw new Error("the transaction was reverted");
  return blockNumber;
}

/** A registered node of the simulated platform "one". */
export async function registerNode(stack: Stack, url: string): Promise<NodeInfo> {
  const key = newKey();
  const answer = await new Worker(url, stack.pki, "one").registerNode(newKey(), key);
  if (answer.status !== 202) throw new Error(answer.short);
  return until("the node is final", async () => {
    const { status, body } = await send(url, "GET", `/nodes/${key.address.toLowerCase()}`);
    return status === 200 && nodeInfoSchema.parse(body);
  });
}

/** An app whose first release is this manifest, placed nowhere. */
export async function appOf(
  stack: Stack,
  node: Pick<NodeInfo, "platformId">,
  manifest: Uint8Array,
  salt = 1,
): Promise<{ app: Address; composeHash: ComposeHash }> {
  const composeHash = parseComposeHash(sha256(manifest));
  const { app } = await createApp(stack, {
    composeHash,
    noteDigest: sha256(Buffer.from("note")),
    platformId: node.platformId,
    proofSystems: [ProofSystem.Committee],
    salt,
  });
  return { app, composeHash };
}

/** Asks for one replica of an app on the nodes of one operator. */
export async function place(stack: Stack, app: Address, operator: Address): Promise<bigint> {
  const selector = { teeKinds: 0, gpu: false, operators: [operator] };
  return transact(
    stack,
    app,
    encodeFunctionData({ abi: appAbi, functionName: "setReplicas", args: [1, selector] }),
  );
}

/** An instance that a relayer admitted by its evidence. */
export async function admitInstance(
  stack: Stack,
  url: string,
  of: { readonly app: Address; readonly composeHash: ComposeHash; readonly node: number },
): Promise<PrivateKeyAccount> {
  const instance = newKey();
  const worker = new Worker(url, stack.pki, "one");
  const key = instance.address.toLowerCase() as Address;
  await until("the instance is admitted", async () => {
    const evidence = await worker.evidence({
      purpose: "instance",
      subject: of.app,
      key,
      composeHash: of.composeHash,
    });
    const { app, node } = of;
    return (await worker.registerInstance({ app, node, key, signer: instance, evidence })).status === 202;
  });
  return instance;
}
