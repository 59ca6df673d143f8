import type { FastifyInstance } from "fastify";
import type { LocalAccount } from "viem/accounts";

import { CharterError } from "../../../protocol/errors/CharterError.ts";
import { verifyKeyBinding } from "../../../protocol/keys/keyBinding.ts";
import { addressSchema, type LeaseRequest } from "../../../protocol/session/messages.ts";
import {
  deliveryRequestSchema,
  keyBindingMessage,
  keyBindingSchema,
  MAX_ENVELOPE_CHARACTERS,
  secretChangeSchema,
  type Delivery,
  type SecretChangeMessage,
  type SecretList,
} from "../../../protocol/session/secretMessages.ts";
import { deliveryTypedData } from "../../../protocol/session/secretDelivery.ts";
import type { Address, Bytes32 } from "../../../protocol/words/hex.ts";
import type { SecretStore } from "../../store/secretStore.ts";
import { parseMessage } from "../errors.ts";
import type { KeyGuard } from "../limits/KeyGuard.ts";

/** No binding is kept that speaks for longer. */
const MAX_BINDING_SECONDS = 86_400;

export interface SecretOptions {
  readonly chainId: number;
  readonly ledger: Address;
  readonly secrets: Pick<SecretStore, "putBinding" | "bindings" | "secrets">;
  /** Whether a key's evidence was accepted: nobody else's bindings are kept. */
  readonly knows: (app: Address, key: Address) => Promise<boolean>;
  readonly admit: (message: SecretChangeMessage) => Promise<{ readonly digest: Bytes32 }>;
  /** Grants, or throws why not. */
  readonly lease: (message: LeaseRequest) => Promise<unknown>;
  /** Signs what is delivered: the one whom manifests name for leases. */
  readonly signer: Pick<LocalAccount, "signTypedData">;
  readonly guard: KeyGuard;
  /** Unix seconds. */
  readonly now: () => number;
  /** Per client address and minute. */
  readonly budgets: { readonly leases: number };
}

/** Apps' public keys, what is sealed to them, and its delivery (protocol/session/secretMessages.ts). */
export function secretRoutes(server: FastifyInstance, options: SecretOptions): void {
  const { chainId, ledger, secrets, knows, admit, lease, guard, now, budgets } = options;
  const within = (max: number) => ({ rateLimit: { max, timeWindow: 60_000 } });

  server.post("/bindings", { config: within(budgets.leases) }, async ({ body, ip }, reply) => {
    const binding = parseMessage(keyBindingSchema, body);
    const { app, instance, purpose, notAfter } = binding;
    const longest = now() + MAX_BINDING_SECONDS;
    if (notAfter > longest) {
      throw new CharterError("keys/binding-too-long", "a binding speaks for a day at most", {
        expected: longest,
        actual: notAfter,
      });
    }
    await guard.run({ key: instance, address: ip }, async () => {
      await verifyKeyBinding(binding, { chainId, ledger, app, purpose, now: now() });
      if (!(await knows(app, instance))) {
        throw new CharterError("instance/unknown", "this key gave no evidence", { app, key: instance });
      }
      await secrets.putBinding(binding, now());
    });
    return reply.code(201).send({});
  });

  server.get<{ Params: { app: string } }>("/apps/:app/bindings", async ({ params }) => {
    const bindings = await secrets.bindings(chainId, parseMessage(addressSchema, params.app), now());
    return { bindings: bindings.map(keyBindingMessage) };
  });

  server.post(
    "/secrets",
    { bodyLimit: 2 * MAX_ENVELOPE_CHARACTERS, config: within(budgets.leases) },
    async ({ body, ip }, reply) => {
      const message = parseMessage(secretChangeSchema, body);
      const admitted = await guard.run({ key: message.app, address: ip }, () => admit(message));
      return reply.code(201).send(admitted);
    },
  );

  server.get<{ Params: { app: string } }>("/apps/:app/secrets", async ({ params }): Promise<SecretList> => {
    const kept = await secrets.secrets(parseMessage(addressSchema, params.app));
    return {
      secrets: kept.map(({ name, counter, digest, setAt, envelope }) => ({
        ...{ name, counter, digest, setAt },
        removed: envelope === null,
      })),
    };
  });

  server.post("/secrets/deliveries", { config: within(budgets.leases) }, async ({ body, ip }) => {
    const message = parseMessage(deliveryRequestSchema, body);
    await guard.run({ key: message.key, address: ip }, () => lease(message));
    const kept = (await secrets.secrets(message.app)).map(({ setAt: _, ...secret }) => secret);
    const { app, key, nonce } = message;
    const signature = await options.signer.signTypedData(
      deliveryTypedData(chainId, ledger, { app, key, nonce, secrets: kept }),
    );
    return { secrets: kept, signature } satisfies Delivery;
  });
}
