import type { PublicClient } from "viem";

import { appAbi } from "../../protocol/abi/app.ts";
import { attestationLedgerAbi } from "../../protocol/abi/attestationLedger.ts";
import { nodeRegistryAbi } from "../../protocol/abi/nodeRegistry.ts";
import type { Deployment } from "../../protocol/deployment/deployment.ts";
import type { ImageFacts } from "../../protocol/state/types.ts";
import type { Address, Bytes32, PlatformId } from "../../protocol/words/hex.ts";
import type { Finality } from "../chain/finality.ts";
import { asChainError, readHeader } from "../chain/rpc.ts";
import { readFinalBlock } from "../chain/finality.ts";

/** One height of the chain, as a signer asks it about leaves. Answers are read once per view. */
export interface ChainView {
  readonly number: bigint;
  /** The latest release of this compose hash, 0 for none, and the age in blocks that the app bears. @throws `chain/…` */
  evidenceTerms(app: Address, composeHash: Bytes32): Promise<{ release: number; maxAgeBlocks: number }>;
  platformOf(node: number): Promise<PlatformId>;
  imageOf(number: number): Promise<ImageFacts>;
  /** Hash of the canonical block of that number, which is not above this height. */
  hashOf(number: bigint): Promise<Bytes32>;
}

/** The final block of now: what it says of numbers can change no more. */
export async function finalView(
  client: PublicClient,
  finality: Finality,
  { attestationLedger, nodeRegistry }: Pick<Deployment, "attestationLedger" | "nodeRegistry">,
): Promise<ChainView> {
  const { number } = await readFinalBlock(client, finality, await readHeader(client, "latest"));
  const answers = new Map<string, Promise<unknown>>();
  const once = <T>(key: string, ask: () => Promise<T>): Promise<T> => {
    const known = answers.get(key) as Promise<T> | undefined;
    if (known !== undefined) return known;
    const asked = asChainError(key, ask());
    answers.set(key, asked);
    return asked;
  };
  const at = { blockNumber: number };
  return {
    number,
    evidenceTerms: (app, composeHash) =>
      once(`terms ${app} ${composeHash}`, async () => {
        const [release, maxAgeBlocks] = await client.readContract({
          address: app,
          abi: appAbi,
          functionName: "evidenceTerms",
          args: [composeHash],
          ...at,
        });
        return { release, maxAgeBlocks };
      }),
    platformOf: (node) =>
      once(`node ${node}`, async () => {
        const args = [node] as const;
        const call = { address: nodeRegistry, abi: nodeRegistryAbi, functionName: "platformIdOf" } as const;
        return (await client.readContract({ ...call, args, ...at })).toLowerCase() as PlatformId;
      }),
    imageOf: (image) =>
      once(`image ${image}`, async () => {
        const args = [image] as const;
        const call = {
          address: attestationLedger,
          abi: attestationLedgerAbi,
          functionName: "image",
        } as const;
        const found = await client.readContract({ ...call, args, ...at });
        const lower = (hash: string): Bytes32 => hash.toLowerCase() as Bytes32;
        return {
          osImageHash: lower(found.osImageHash),
          measurementDigest: lower(found.measurementDigest),
          pinnedMeasurementDigest: lower(found.pinnedMeasurementDigest),
          advisoriesDigest: lower(found.advisoriesDigest),
        };
      }),
    hashOf: (wanted) => once(`block ${wanted}`, async () => (await readHeader(client, wanted)).hash),
  };
}
