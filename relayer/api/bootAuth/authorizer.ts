import type { FastifyBaseLogger } from "fastify";
import { getAddress } from "viem";
import type { PublicClient } from "viem";

import { appRegistryAbi } from "../../../protocol/abi/appRegistry.ts";
import { CharterError } from "../../../protocol/errors/CharterError.ts";
import { asChainError } from "../../chain/rpc.ts";
import type { Follower } from "../../chain/follower.ts";
import type { RelayerConfig } from "../../config.ts";
import { judgeBoot } from "../../decisions/boot.ts";
import { citation } from "../../decisions/citation.ts";
import type { BootRequest } from "./parseBootRequest.ts";
import type { BootAuthInfo, BootAuthOptions, BootDecision } from "./server.ts";

interface Options {
  readonly client: PublicClient;
  readonly follower: Pick<Follower, "projection" | "status" | "headAgeSeconds">;
  readonly config: Pick<RelayerConfig, "deployment" | "rpcUrls" | "maxHeadAgeSeconds">;
  readonly logger: FastifyBaseLogger;
  readonly onDecided: (outcome: { outcome: "allowed" | "denied" | "unavailable"; seconds: number }) => void;
}

/** Byte-exact: dstack's clients compare it (DESIGN section 9). */
const KMS_DENIED = "KMS is not allowed to boot on this device";

/** Scheme and host of an RPC endpoint: path and query often hold an API key. */
const originOf = (url: string): string => new URL(url).origin;

/**
 * Boot authorization over the projection: allowed only when the final and the newest block allow. While the chain does
 * not answer, or its head is too old, every boot is denied.
 */
export async function bootAuthorizer(options: Options): Promise<Omit<BootAuthOptions, "logger" | "tls">> {
  const { client, follower, config, logger, onDecided } = options;
  const { chainId, appRegistry } = config.deployment;
  const code = await asChainError("registry's code", client.getCode({ address: appRegistry }));
  if (code === undefined || code === "0x") {
    throw new CharterError("config/no-registry", "no contract stands at the address book's AppRegistry", {
      appRegistry,
    });
  }
  const implementation = await asChainError(
    "app implementation",
    client.readContract({ address: appRegistry, abi: appRegistryAbi, functionName: "implementation" }),
  );
  const known: BootAuthInfo = {
    kmsContractAddr: getAddress(appRegistry),
    ethRpcUrl: originOf(config.rpcUrls[0] ?? ""),
    gatewayAppId: "", // No gateway app is governed yet.
    chainId,
    appAuthImplementation: implementation,
    appImplementation: implementation,
  };
  const consultable = (): boolean =>
    follower.status().ready && follower.headAgeSeconds() <= config.maxHeadAgeSeconds;

  const decide = (bootInfo: BootRequest): BootDecision => {
    if (!consultable()) return { kind: "unavailable" };
    const now = Math.floor(Date.now() / 1_000);
    const { isAllowed, reason, final, newest } = judgeBoot({
      projection: follower.projection(),
      bootInfo,
      now,
    });
    const { appId, composeHash, deviceId } = bootInfo;
    const blocks = { final: citation(final), newest: citation(newest) };
    logger.info({ appId, composeHash, deviceId, isAllowed, reason, ...blocks }, "boot decided");
    return { kind: "decided", isAllowed, reason, gatewayAppId: known.gatewayAppId };
  };

  return {
    info: () => (consultable() ? known : undefined),
    decideApp: (bootInfo) => {
      const started = performance.now();
      const decision = decide(bootInfo);
      const outcome =
        decision.kind === "unavailable" ? decision.kind : decision.isAllowed ? "allowed" : "denied";
      onDecided({ outcome, seconds: (performance.now() - started) / 1_000 });
      return decision;
    },
    // No KMS is governed yet: nothing in the registry could allow one, so every KMS is denied.
    decideKms: () =>
      consultable()
        ? { kind: "decided", isAllowed: false, reason: KMS_DENIED, gatewayAppId: known.gatewayAppId }
        : { kind: "unavailable" },
  };
}
