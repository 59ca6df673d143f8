import type { Follower } from "../chain/follower.ts";
import type { HealthReport } from "./graphql/liveSchema.ts";

/** Where the service stands: ready once it follows the chain, and for as long as the head is not too old. */
export function healthReport(
  follower: Pick<Follower, "status" | "headAgeSeconds">,
  chainId: number,
  maxHeadAgeSeconds: number,
): HealthReport {
  const { ready, newest, lastError } = follower.status();
  const age = newest === null ? null : Math.max(0, Math.round(follower.headAgeSeconds()));
  const fresh = age !== null && age <= maxHeadAgeSeconds;
  return {
    status: ready && fresh ? "ok" : "degraded",
    chainId,
    ready: ready && fresh,
    headAgeSeconds: age,
    error: lastError?.code ?? (fresh ? null : "chain/head-too-old"),
  };
}
