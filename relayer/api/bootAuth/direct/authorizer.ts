import type { FastifyBaseLogger } from "fastify";

import { isCharterError } from "../../../../protocol/errors/CharterError.ts";
import type { BootRequest } from "../parseBootRequest.ts";
import type { BootAuthOptions, BootDecision } from "../server.ts";
import type { KmsContract } from "./KmsContract.ts";

/** Of a reason, which an app's own contract gives at any length. */
const MAX_LOGGED = 256;

/** Boot authorization by asking a contract at each boot: denies whenever it cannot be asked. */
export function directAuthorizer(
  contract: Pick<KmsContract, "decide" | "info">,
  logger: FastifyBaseLogger,
): Omit<BootAuthOptions, "logger" | "tls"> {
  const failed = (error: unknown): void => {
    // An RPC's message may hold its URL, and with it a key; a code and our own details do not.
    const told = isCharterError(error) ? { code: error.code, details: error.details } : {};
    logger.warn(
      { name: error instanceof Error ? error.name : "unknown", ...told },
      "the chain cannot be asked",
    );
  };
  const decide = async (
    kind: "isAppAllowed" | "isKmsAllowed",
    bootInfo: BootRequest,
  ): Promise<BootDecision> => {
    try {
      const decision = await contract.decide(kind, bootInfo);
      const { appId, composeHash, deviceId } = bootInfo;
      const reason = decision.kind === "decided" ? decision.reason.slice(0, MAX_LOGGED) : undefined;
      logger.info({ question: kind, appId, composeHash, deviceId, ...decision, reason }, "boot decided");
      return decision;
    } catch (error) {
      failed(error);
      return { kind: "unavailable" };
    }
  };
  return {
    decideApp: (bootInfo) => decide("isAppAllowed", bootInfo),
    decideKms: (bootInfo) => decide("isKmsAllowed", bootInfo),
    info: () =>
      contract.info().catch((error: unknown) => {
        failed(error);
        return undefined;
      }),
  };
}
