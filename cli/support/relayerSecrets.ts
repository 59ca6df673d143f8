import type { z } from "zod";

import type { SignedKeyBinding } from "../../protocol/keys/keyBinding.ts";
import {
  keyBindingsSchema,
  secretListSchema,
  type SecretChangeMessage,
  type SecretList,
} from "../../protocol/session/secretMessages.ts";
import type { Address } from "../../protocol/words/hex.ts";
import { CliError } from "./CliError.ts";
import type { Context } from "./context.ts";
import { ExitCode } from "./exitCodes.ts";
import { refusal, relayerFetch } from "./publish.ts";

/** Bindings that a relayer has of an app, unverified. */
export const relayerKeyBindings = async (
  context: Context,
  app: Address,
): Promise<readonly SignedKeyBinding[]> =>
  (await ask(context, `/apps/${app}/bindings`, keyBindingsSchema)).bindings;

/** What is set for an app, as a relayer says; never a value. */
export const relayerSecrets = async (context: Context, app: Address): Promise<SecretList["secrets"]> =>
  (await ask(context, `/apps/${app}/secrets`, secretListSchema)).secrets;

/** Has a relayer keep a signed change. */
export async function sendSecret(context: Context, message: SecretChangeMessage): Promise<void> {
  const response = await relayerFetch(context, "/secrets", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(message),
  });
  if (!response.ok) throw await refusal(response);
}

async function ask<T>(context: Context, path: string, schema: z.ZodType<T>): Promise<T> {
  const response = await relayerFetch(context, path);
  if (!response.ok) throw await refusal(response);
  const parsed = schema.safeParse(await response.json().catch(() => null));
  if (parsed.success) return parsed.data;
  throw new CliError(
    ExitCode.Unreachable,
    "relayer/malformed-answer",
    "the relayer's answer has another shape than documented",
    { path },
  );
}
