import { createPublicClient, createWalletClient, encodeAbiParameters, http, type Hex } from "viem";
import { privateKeyToAccount } from "viem/accounts";

import { attestationLedgerAbi } from "../../../protocol/abi/attestationLedger.ts";
import { nodeRegistryAbi } from "../../../protocol/abi/nodeRegistry.ts";
import {
  committeeDomain,
  instanceEntryTypes,
  ledgerDomain,
  nodeEntryTypes,
  nodeRegistryDomain,
  verdictTypes,
} from "../../../protocol/session/domains.ts";
import { ProofSystem, TcbStatus, TeeKind } from "../../../protocol/words/enums.ts";
import type { Address, Bytes32 } from "../../../protocol/words/hex.ts";
import { devnetAccounts } from "../../../scripts/devnet/accounts.ts";
import type { GovernedChain } from "./governedChain.ts";

const ZERO = `0x${"00".repeat(32)}` as Bytes32;
export const PLATFORM_ID = `0x${"b1".repeat(32)}` as Bytes32;
export const OS_IMAGE = `0x${"05".repeat(32)}` as Bytes32;
export const MEASUREMENT = `0x${"3e".repeat(32)}` as Bytes32;

/** Registers one node and proves one instance on it, with verdicts that the committee signed. Gives the instance's key. */
export async function attestInstance(
  { anvil, deployment }: GovernedChain,
  app: Address,
  composeHash: Bytes32,
): Promise<Address> {
  const { chainId, nodeRegistry, attestationLedger, committeeVerifier } = deployment;
  const client = createPublicClient({ transport: http(anvil.url), cacheTime: 0, pollingInterval: 50 });
  const operator = privateKeyToAccount(devnetAccounts.operator.key);
  const wallet = createWalletClient({ account: operator, transport: http(anvil.url) });
  const nodeKey = privateKeyToAccount(`0x${"aa".repeat(32)}`);
  const key = privateKeyToAccount(`0x${"bb".repeat(32)}`);

  const verdictOn = async (consumer: Address, subject: Address, bound: Address, hash: Bytes32) => {
    const block = await client.getBlock();
    const verdict = {
      consumer,
      subject,
      key: bound,
      evidenceBlock: block.number,
      evidenceBlockHash: block.hash,
      platformId: PLATFORM_ID,
      composeHash: hash,
      osImageHash: OS_IMAGE,
      measurementDigest: MEASUREMENT,
      pinnedMeasurementDigest: MEASUREMENT,
      kind: TeeKind.Tdx,
      status: TcbStatus.UpToDate,
      advisoriesDigest: ZERO,
      evidenceDigest: block.hash,
      gpuDigest: ZERO,
      validUntil: Number(block.timestamp) + 86_400,
      simulated: true,
    };
    const signatures = await Promise.all(
      devnetAccounts.committee.slice(0, 2).map((member) =>
        privateKeyToAccount(member.key).signTypedData({
          domain: committeeDomain(chainId, committeeVerifier),
          types: verdictTypes,
          primaryType: "Verdict",
          message: verdict,
        }),
      ),
    );
    return {
      verdict,
      proof: encodeAbiParameters(
        [{ type: "tuple", components: verdictTypes.Verdict }, { type: "bytes[]" }],
        [verdict, signatures],
      ),
    };
  };
  const mined = async (hash: Hex): Promise<void> => {
    const { status } = await client.waitForTransactionReceipt({ hash });
    if (status !== "success") throw new Error(`reverted: ${hash}`);
  };

  const node = await verdictOn(nodeRegistry, devnetAccounts.operator.address, addressOf(nodeKey), ZERO);
  const entry = {
    domain: nodeRegistryDomain(chainId, nodeRegistry),
    types: nodeEntryTypes,
    primaryType: "NodeEntry",
    message: {
      operator: operator.address,
      platformId: PLATFORM_ID,
      evidenceDigest: node.verdict.evidenceDigest,
    },
  } as const;
  const consents = [await operator.signTypedData(entry), await nodeKey.signTypedData(entry)] as const;
  await mined(
    await wallet.writeContract({
      chain: null,
      address: nodeRegistry,
      abi: nodeRegistryAbi,
      functionName: "register",
      args: [ProofSystem.Committee, node.proof, ...consents],
    }),
  );
  const instance = await verdictOn(attestationLedger, app, addressOf(key), composeHash);
  const consent = await key.signTypedData({
    domain: ledgerDomain(chainId, attestationLedger),
    types: instanceEntryTypes,
    primaryType: "InstanceEntry",
    message: { app, evidenceDigest: instance.verdict.evidenceDigest },
  });
  await mined(
    await wallet.writeContract({
      chain: null,
      address: attestationLedger,
      abi: attestationLedgerAbi,
      functionName: "attest",
      args: [1, ProofSystem.Committee, false, instance.proof, consent],
    }),
  );
  return addressOf(key);
}

const addressOf = (account: { readonly address: Hex }): Address => account.address.toLowerCase() as Address;
