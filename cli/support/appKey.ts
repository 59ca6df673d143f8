import { attestationLedgerAbi } from "../../protocol/abi/attestationLedger.ts";
import { isCharterError } from "../../protocol/errors/CharterError.ts";
import { KeyPurpose, verifyKeyBinding, type SignedKeyBinding } from "../../protocol/keys/keyBinding.ts";
import { toHex, type Address } from "../../protocol/words/hex.ts";
import { CliError } from "./CliError.ts";
import type { Context } from "./context.ts";
import { ExitCode } from "./exitCodes.ts";
import { relayerKeyBindings } from "./relayerSecrets.ts";

/** The app's public key for secrets, and the live instances that say so. */
export interface AppKey {
  readonly publicKey: Uint8Array;
  readonly instances: readonly Address[];
}

/**
 * The key that secrets of an app are sealed to: of bindings that a relayer has, only those count that an instance signed
 * which the ledger calls live now, so a relayer cannot bring in a key of its own.
 * @throws CliError `secret/no-live-instance`, `secret/keys-differ`.
 */
export async function appKey(context: Context, app: Address): Promise<AppKey> {
  const { chainId, attestationLedger: ledger } = context.deployment();
  const client = await context.client();
  const { timestamp } = await client.getBlock();
  const now = Math.max(Number(timestamp), Math.floor(Date.now() / 1_000));
  const live: SignedKeyBinding[] = [];
  const refused: { instance: Address; reason: string }[] = [];
  for (const binding of await relayerKeyBindings(context, app)) {
    if (binding.purpose !== KeyPurpose.Hpke) continue;
    const { instance } = binding;
    try {
      await verifyKeyBinding(binding, { chainId, ledger, app, purpose: KeyPurpose.Hpke, now });
    } catch (error) {
      if (!isCharterError(error)) throw error;
      refused.push({ instance, reason: error.code });
      continue;
    }
    const isLive = await client.readContract({
      address: ledger,
      abi: attestationLedgerAbi,
      functionName: "isLive",
      args: [app, instance],
    });
    if (isLive) live.push(binding);
    else refused.push({ instance, reason: "not live" });
  }
  const [first] = live;
  if (first === undefined) {
    throw new CliError(
      ExitCode.NotVerified,
      "secret/no-live-instance",
      "no live instance of this app tells its key: one must run before a secret can be sealed to it",
      { app, refused },
    );
  }
  const keys = new Set(live.map(({ publicKey }) => toHex(publicKey)));
  if (keys.size > 1) {
    throw new CliError(
      ExitCode.Refused,
      "secret/keys-differ",
      "live instances of this app tell different keys: a replica could not read the secret",
      { keys: live.map(({ instance, publicKey }) => ({ instance, publicKey: toHex(publicKey) })) },
    );
  }
  return { publicKey: first.publicKey, instances: live.map(({ instance }) => instance) };
}
