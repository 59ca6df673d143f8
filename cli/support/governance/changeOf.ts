import { appAbi } from "../../../protocol/abi/app.ts";
import type { Change } from "../../../protocol/policy/change.ts";
import type { SettingKind } from "../../../protocol/policy/settingKind.ts";
import type { Bytes32, ComposeHash } from "../../../protocol/words/hex.ts";
import { decodeCall, type RawCall } from "./calls.ts";

type Entries = readonly { kind: SettingKind; key: Bytes32; value: bigint }[];

/** A call of an app as a change that can be simulated; null for any other call. */
export function changeOf({ data, value: sent }: RawCall): Change | null {
  const call = sent === 0n ? decodeCall(appAbi, data) : null;
  const [first, , , fourth] = call?.args.map(({ value }) => value) ?? [];
  switch (call?.functionName) {
    case "tighten":
    case "loosen":
      return { action: call.functionName, entries: first as Entries };
    case "revoke":
      return { action: "revoke", release: first as number };
    case "propose":
      return { action: "propose", composeHash: first as ComposeHash, graceSeconds: fourth as number };
    default:
      return null;
  }
}
