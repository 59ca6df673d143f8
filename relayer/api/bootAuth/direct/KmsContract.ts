import { createPublicClient, decodeFunctionResult, encodeFunctionData, getAddress, http } from "viem";
import type { Hex, PublicClient } from "viem";

import { CharterError } from "../../../../protocol/errors/CharterError.ts";
import type { BootRequest } from "../parseBootRequest.ts";
import type { BootAuthInfo, BootDecision } from "../server.ts";
import type { DirectConfig } from "./config.ts";
import { kmsAbi } from "./kmsAbi.ts";

type Options = Pick<
  DirectConfig,
  "rpcUrl" | "contract" | "chainId" | "confirmations" | "maxHeadAgeSeconds"
> & {
  /** Unix seconds. */
  readonly now: () => number;
  /** Seconds of a clock that only goes forward. */
  readonly uptime?: () => number;
};

/** One block that every call of a decision is pinned to, as a hex quantity. */
interface Pin {
  readonly number: bigint;
  readonly head: bigint;
  readonly chainId: number;
}

/** A boot waits for this answer: better a denial than a KMS that hangs. */
const TIMEOUT_MS = 10_000;

/**
 * A contract with dstack's KMS surface, asked block by block: one `eth_blockNumber` and calls pinned to that block
 * minus the confirmations (DESIGN section 9). Nothing is kept between decisions but what must not go back: the chain id
 * and the highest block that was asked.
 */
export class KmsContract {
  readonly #options: Options;
  readonly #client: PublicClient;
  readonly #uptime: () => number;
  #chainId: number | undefined;
  #highest = 0n;
  /** The highest head so far, and the uptime when it was first heard of. */
  #head = { number: -1n, since: 0 };

  constructor(options: Options) {
    this.#options = options;
    this.#uptime = options.uptime ?? (() => performance.now() / 1_000);
    this.#chainId = options.chainId;
    this.#client = createPublicClient({
      transport: http(options.rpcUrl, { timeout: TIMEOUT_MS, retryCount: 0 }),
      cacheTime: 0,
    });
  }

  /** @throws whatever kept the chain from being consulted; every such failure denies. */
  async decide(kind: "isAppAllowed" | "isKmsAllowed", bootInfo: BootRequest): Promise<BootDecision> {
    const pin = await this.#pin();
    const data = encodeFunctionData({
      abi: kmsAbi,
      functionName: kind,
      args: [{ ...bootInfo, advisoryIds: [...bootInfo.advisoryIds] }],
    });
    const [answer, gatewayAppId] = await Promise.all([
      this.#call(data, pin),
      this.#gatewayAppId(pin),
      this.#requireFresh(pin),
    ]);
    this.#consulted(pin);
    const [isAllowed, reason] = decodeFunctionResult({
      abi: kmsAbi,
      functionName: kind,
      data: answer,
    });
    return { kind: "decided", isAllowed, reason, gatewayAppId };
  }

  /** What `GET /` tells. @throws as `decide`. */
  async info(): Promise<BootAuthInfo> {
    const pin = await this.#pin();
    const read = encodeFunctionData({ abi: kmsAbi, functionName: "appImplementation" });
    const [gatewayAppId, answer] = await Promise.all([
      this.#gatewayAppId(pin),
      this.#call(read, pin),
      this.#requireFresh(pin),
    ]);
    this.#consulted(pin);
    const implementation = decodeFunctionResult({
      abi: kmsAbi,
      functionName: "appImplementation",
      data: answer,
    });
    return {
      kmsContractAddr: getAddress(this.#options.contract),
      ethRpcUrl: new URL(this.#options.rpcUrl).origin,
      gatewayAppId,
      chainId: pin.chainId,
      appAuthImplementation: implementation,
      appImplementation: implementation,
    };
  }

  async #pin(): Promise<Pin> {
    const [chainId, head] = await Promise.all([
      this.#client.getChainId(),
      this.#client.getBlockNumber({ cacheTime: 0 }),
    ]);
    const expected = this.#chainId ?? chainId;
    if (chainId !== expected) {
      throw new CharterError("chain/wrong-chain", "the node serves another chain", {
        expected,
        actual: chainId,
      });
    }
    const number = head - BigInt(this.#options.confirmations);
    // A node that lags behind, or was set back, may not know a revocation that was seen already.
    if (number < this.#highest || number < 0n) {
      throw new CharterError("chain/rewound", "the node's newest block is older than one already asked", {
        expected: this.#highest,
        actual: number,
      });
    }
    if (head > this.#head.number) this.#head = { number: head, since: this.#uptime() };
    return { number, head, chainId };
  }

  /** The node has answered for this block: from now on it must not go back behind it, nor serve another chain. */
  #consulted({ number, chainId }: Pin): void {
    if (number > this.#highest) this.#highest = number;
    this.#chainId ??= chainId;
  }

  /** @throws CharterError `chain/head-too-old`: the node stands still, and what it says may be revoked long since. */
  async #requireFresh({ head }: Pin): Promise<void> {
    const { maxHeadAgeSeconds, now } = this.#options;
    if (maxHeadAgeSeconds === 0) return;
    const { timestamp } = await this.#client.getBlock({ blockNumber: head });
    // Whatever its time says, by a clock that is wrong here or there: it is at least as old as it is known.
    const known = head === this.#head.number ? this.#uptime() - this.#head.since : 0;
    const age = Math.max(now() - Number(timestamp), known);
    if (age > maxHeadAgeSeconds) {
      throw new CharterError("chain/head-too-old", "the node's newest block is too old to decide upon", {
        expected: maxHeadAgeSeconds,
        actual: age,
      });
    }
  }

  async #gatewayAppId(pin: Pin): Promise<string> {
    const data = encodeFunctionData({ abi: kmsAbi, functionName: "gatewayAppId" });
    return decodeFunctionResult({
      abi: kmsAbi,
      functionName: "gatewayAppId",
      data: await this.#call(data, pin),
    });
  }

  async #call(data: Hex, { number }: Pin): Promise<Hex> {
    const { data: answer } = await this.#client.call({
      to: this.#options.contract,
      data,
      blockNumber: number,
    });
    // No code at the address answers with nothing, and nothing is no permission.
    if (answer === undefined) {
      throw new CharterError("config/no-contract", "no KMS contract answers at this address", {
        contract: this.#options.contract,
      });
    }
    return answer;
  }
}
