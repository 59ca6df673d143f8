import { decodeFunctionResult, encodeFunctionData } from "viem";
import type { PublicClient } from "viem";

import { CharterError } from "../../../protocol/errors/CharterError.ts";
import type { BlockRef } from "../../../protocol/state/types.ts";
import type { Address, Bytes32, Hex } from "../../../protocol/words/hex.ts";
import type { Projection } from "../../chain/projection.ts";
import { asChainError } from "../../chain/rpc.ts";
import { kmsAbi } from "./direct/kmsAbi.ts";
import type { BootRequest } from "./parseBootRequest.ts";

interface Options {
  readonly client: PublicClient;
  /** DstackKms of the address book. */
  readonly contract: Address;
  /** @throws chain/not-ready */
  readonly projection: () => Projection;
}

/** The heads that were asked. */
interface Asked {
  readonly final: BlockRef;
  readonly newest: BlockRef;
}

export interface KmsJudgement extends Asked {
  readonly isAllowed: boolean;
  /** In the contract's words, empty when allowed. */
  readonly reason: string;
}

/**
 * What DstackKms says at the final and at the newest block of the projection, each named by its hash, so that both are of the
 * chain that is followed. Its policy is not part of the projection: a replica of an earlier version, which shares the
 * database, would have left out its events. A KMS boots rarely, and may wait for two calls.
 */
export class KmsAtHeads {
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
  }

  /** May this KMS boot? Only when both blocks allow. @throws CharterError `chain/…`, `config/no-contract`: no permission. */
  async isAllowed(bootInfo: BootRequest): Promise<KmsJudgement> {
    const heads = this.#heads();
    const data = encodeFunctionData({
      abi: kmsAbi,
      functionName: "isKmsAllowed",
      args: [{ ...bootInfo, advisoryIds: [...bootInfo.advisoryIds] }],
    });
    const answers = await this.#atBoth(heads, data, (answer) =>
      decodeFunctionResult({ abi: kmsAbi, functionName: "isKmsAllowed", data: answer }),
    );
    const denial = answers.find(([isAllowed]) => !isAllowed);
    return { ...heads, isAllowed: denial === undefined, reason: denial?.[1] ?? "" };
  }

  /** The gateway's app that both blocks name; empty where they name different ones. @throws as `isAllowed`. */
  async gatewayAppId(): Promise<Asked & { readonly id: string }> {
    const heads = this.#heads();
    const data = encodeFunctionData({ abi: kmsAbi, functionName: "gatewayAppId" });
    const [final, newest] = await this.#atBoth(heads, data, (answer) =>
      decodeFunctionResult({ abi: kmsAbi, functionName: "gatewayAppId", data: answer }),
    );
    return { ...heads, id: final === newest ? final : "" };
  }

  #heads(): Asked {
    const { final, newest } = this.#options.projection();
    return { final: final.block, newest: newest.block };
  }

  async #atBoth<T>(
    { final, newest }: Asked,
    data: Hex,
    decode: (answer: Hex) => T,
  ): Promise<readonly [T, T]> {
    return Promise.all([
      this.#call(data, final.hash).then(decode),
      this.#call(data, newest.hash).then(decode),
    ]);
  }

  async #call(data: Hex, blockHash: Bytes32): Promise<Hex> {
    const { client, contract } = this.#options;
    const answer = await asChainError(
      "KMS contract",
      client.request({ method: "eth_call", params: [{ to: contract, data }, { blockHash }] }),
    );
    if (answer !== "0x") return answer;
    // No code at the address answers with nothing, and nothing is no permission.
    throw new CharterError("config/no-contract", "no KMS contract answers at this address", { contract });
  }
}
