import { CharterError } from "../../protocol/errors/CharterError.ts";
import { fromHex, type Address, type ComposeHash, type Hex } from "../../protocol/words/hex.ts";
import type { BoundBoot, EvidenceSource } from "./EvidenceSource.ts";

/** What a TD says of itself before anything of the app runs. */
export interface BootIdentity {
  readonly app: Address;
  readonly composeHash: ComposeHash;
  /** 20 bytes, or empty where there is none. */
  readonly instanceId: Hex;
  /** The `KeySource` that this guest's keys come from (DESIGN section 7); "none" where no key survives it. */
  readonly keyProvider?: string;
}

/**
 * Measures the boot in dstack's order and names. Verifiers trust only what stands before `system-ready`; from there on
 * the app may extend the register itself. A platform that has bound the app before this program began is only compared.
 * @throws CharterError `tee/boot-mismatch` where it bound another app or manifest.
 */
export async function measureBoot(source: EvidenceSource, identity: BootIdentity): Promise<void> {
  if (source.boot !== undefined) return requireSame(source.boot, identity);
  const nothing = new Uint8Array();
  await source.extend("system-preparing", nothing);
  await source.extend("app-id", fromHex(identity.app));
  await source.extend("compose-hash", fromHex(identity.composeHash));
  await source.extend("instance-id", fromHex(identity.instanceId));
  await source.extend("boot-mr-done", nothing);
  const provider = { name: identity.keyProvider ?? "none", id: "" };
  await source.extend("key-provider", Buffer.from(JSON.stringify(provider), "utf8"));
  await source.extend("system-ready", nothing);
}

function requireSame(measured: BoundBoot, identity: BootIdentity): void {
  for (const name of ["app", "composeHash"] as const) {
    if (measured[name] === identity[name]) continue;
    throw new CharterError("tee/boot-mismatch", "this machine was started for another app or manifest", {
      name,
      expected: identity[name],
      actual: measured[name],
    });
  }
}
