import type { FastifyBaseLogger } from "fastify";
import type { PublicClient } from "viem";

import { attestationLedgerAbi } from "../../protocol/abi/attestationLedger.ts";
import { isCharterError } from "../../protocol/errors/CharterError.ts";
import type { Address } from "../../protocol/words/hex.ts";
import { readFinalBlock } from "../chain/finality.ts";
import { asChainError, readHeader } from "../chain/rpc.ts";
import { enterInstance } from "./enterInstance.ts";
import { InstanceKeeper } from "./InstanceKeeper.ts";
import type { SeatConfig, SignerConfig } from "./signerConfig.ts";

interface Options {
  readonly config: Pick<SignerConfig, "deployment" | "finality">;
  readonly seat: SeatConfig;
  readonly client: PublicClient;
  readonly logger: Pick<FastifyBaseLogger, "info" | "warn">;
}

/** What keeps a signer live, over its own chain client: nothing that a relayer says of blocks or of the ledger is used. */
export function seatKeeper({ config, seat, client, logger }: Options): InstanceKeeper {
  const { chainId, attestationLedger: ledger } = config.deployment;
  return new InstanceKeeper({
    chainId,
    ledger,
    key: seat.key,
    node: seat.node,
    standing: async (app, key) => {
      const { number: blockNumber, timestamp: time } = await readHeader(client, "latest");
      const at = { address: ledger, abi: attestationLedgerAbi, args: [app, key], blockNumber } as const;
      const [isLive, { expiresAt }] = await asChainError(
        "a signer's instance",
        Promise.all([
          client.readContract({ ...at, functionName: "isLive" }),
          client.readContract({ ...at, functionName: "instance" }),
        ]),
      );
      return { isLive, expiresAt, time };
    },
    finalBlock: async () => readFinalBlock(client, config.finality, await readHeader(client, "latest")),
    enter: (entry) => enterInstance(seat.relayerUrls, entry),
    onStanding: ({ isLive, expiresAt }) =>
      logger.info(
        { app: seat.key.app, key: seat.key.account.address.toLowerCase() as Address, isLive, expiresAt },
        isLive ? "this signer is live: its signatures count" : "this signer is not live",
      ),
    onFailed: (cause) =>
      logger.warn(
        { err: cause, code: isCharterError(cause) ? cause.code : undefined },
        "this signer could not be entered; it is tried again",
      ),
  });
}
