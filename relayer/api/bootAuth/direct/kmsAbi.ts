import { parseAbi } from "viem";

/**
 * What the webhook asks of a KMS contract (DESIGN section 9; dstack 0.5.x). DstackKms of this repository and dstack's own
 * contract both have it; its tuple is `IAppAuth`'s boot info.
 */
export const kmsAbi = parseAbi([
  "struct AppBootInfo { address appId; bytes32 composeHash; address instanceId; bytes32 deviceId; bytes32 mrAggregated; bytes32 mrSystem; bytes32 osImageHash; string tcbStatus; string[] advisoryIds; }",
  "function isAppAllowed(AppBootInfo bootInfo) view returns (bool isAllowed, string reason)",
  "function isKmsAllowed(AppBootInfo bootInfo) view returns (bool isAllowed, string reason)",
  "function gatewayAppId() view returns (string)",
  "function appImplementation() view returns (address)",
]);
