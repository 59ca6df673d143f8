import type { FastifyInstance } from "fastify";

import type { AttestedQuote } from "../../keys/attestedKey.ts";
import type { AttestedKeys } from "../../keys/openAttestedKeys.ts";

/** Quotes are made this often at most, whoever asks: each costs the machine's quoting enclave some work. */
const FRESH_MS = 10_000;

/**
 * `GET /signer`: address and quote of every key that was made inside of this instance, so that governance can check them
 * before it lists an address. Where there is no such key there is nothing at this address.
 */
export function signerRoute(server: FastifyInstance, keys: AttestedKeys): void {
  const attested = Object.values(keys);
  if (attested.length === 0) return;
  let latest: { readonly at: number; readonly quotes: Promise<AttestedQuote[]> } | undefined;
  server.get("/signer", async () => {
    if (latest === undefined || performance.now() - latest.at > FRESH_MS) {
      const made = { at: performance.now(), quotes: Promise.all(attested.map((key) => key.attest())) };
      latest = made;
      made.quotes.catch(() => {
        if (latest === made) latest = undefined; // The next one who asks tries again.
      });
    }
    return { signers: await latest.quotes };
  });
}
