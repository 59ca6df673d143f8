import type { FastifyBaseLogger } from "fastify";
import { getAddress } from "viem";
import type { PublicClient } from "viem";

import { appRegistryAbi } from "../../../protocol/abi/appRegistry.ts";
import { CharterError, isCharterError } from "../../../protocol/errors/CharterError.ts";
import { asChainError } from "../../chain/rpc.ts";
import type { Projection } from "../../chain/projection.ts";
import type { Follower } from "../../chain/follower.ts";
import type { RelayerConfig } from "../../config.ts";
import { judgeBoot } from "../../decisions/boot.ts";
import { citation } from "../../decisions/citation.ts";
import { GatewayApp } from "./gatewayApp.ts";
import { KmsAtHeads, type KmsJudgement } from "./kmsAtHeads.ts";
import type { BootRequest } from "./parseBootRequest.ts";
import type { BootAuthInfo, BootAuthOptions, BootDecision } from "./server.ts";

interface Options {
  readonly client: PublicClient;
  readonly follower: Pick<Follower, "projection" | "status" | "headAgeSeconds" | "onUpdate">;
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
 * not answer, or its head is too old, every boot is denied. Where the address book names a DstackKms, that says which KMS may
 * boot and which app is the gateway, at the same two blocks; where it names none, no KMS may, and there is no gateway.
 */
export async function bootAuthorizer(options: Options): Promise<Omit<BootAuthOptions, "logger" | "tls">> {
  const { client, follower, config, logger, onDecided } = options;
  const { chainId, appRegistry, dstackKms } = config.deployment;
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
  const projection = (): Projection => follower.projection();
  const kms = dstackKms && new KmsAtHeads({ client, contract: dstackKms, projection });
  const gateway =
    kms &&
    new GatewayApp({
      kms,
      maxHeadAgeSeconds: config.maxHeadAgeSeconds,
      onFailed: (cause) => logger.warn(codeOf(cause), "the KMS contract's gateway app cannot be read"),
    });
  if (gateway !== undefined) follower.onUpdate(() => void gateway.changed());
  const gatewayAppId = (): string => gateway?.id(Math.floor(Date.now() / 1_000)) ?? "";
  const known: Omit<BootAuthInfo, "gatewayAppId"> = {
    kmsContractAddr: getAddress(dstackKms ?? appRegistry),
    ethRpcUrl: originOf(config.rpcUrls[0] ?? ""),
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
    return decided(bootInfo, { isAllowed, reason, final, newest }, "boot decided");
  };
  const decided = (
    { appId, composeHash, deviceId }: BootRequest,
    { isAllowed, reason, final, newest }: KmsJudgement,
    what: string,
  ): BootDecision => {
    const blocks = { final: citation(final), newest: citation(newest) };
    logger.info({ appId, composeHash, deviceId, isAllowed, reason, ...blocks }, what);
    return { kind: "decided", isAllowed, reason, gatewayAppId: gatewayAppId() };
  };
  const decideKms = async (bootInfo: BootRequest): Promise<BootDecision> => {
    if (!consultable()) return { kind: "unavailable" };
    if (kms === undefined) {
      logger.warn("a KMS asked to boot, and the address book names no DstackKms: none may");
      return { kind: "decided", isAllowed: false, reason: KMS_DENIED, gatewayAppId: "" };
    }
    try {
      const judgement = await kms.isAllowed(bootInfo);
      // The heads may have grown old while they were asked.
      return consultable() ? decided(bootInfo, judgement, "KMS boot decided") : { kind: "unavailable" };
    } catch (cause) {
      logger.warn(codeOf(cause), "the KMS contract cannot be asked");
      return { kind: "unavailable" };
    }
  };

  return {
    info: () => (consultable() ? { ...known, gatewayAppId: gatewayAppId() } : undefined),
    decideApp: (bootInfo) => {
      const started = performance.now();
      const decision = decide(bootInfo);
      const outcome =
        decision.kind === "unavailable" ? decision.kind : decision.isAllowed ? "allowed" : "denied";
      onDecided({ outcome, seconds: (performance.now() - started) / 1_000 });
      return decision;
    },
    decideKms,
  };
}

/** An RPC's message may hold its URL, and with it a key; a code does not. */
const codeOf = (cause: unknown): { readonly code: string } => ({
  code: isCharterError(cause) ? cause.code : "api/internal",
});
