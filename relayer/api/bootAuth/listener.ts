import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";

import { CharterError } from "../../../protocol/errors/CharterError.ts";

/** Where boot authorization listens, and how callers are known beyond this machine. */
export interface Listener {
  readonly host: string;
  /** Present: TLS, and only for clients with a certificate of this CA. */
  readonly tls: { readonly cert: Buffer; readonly key: Buffer; readonly ca: Buffer } | undefined;
}

interface Variables {
  readonly host: string;
  /** Paths of PEM files; all three or none. */
  readonly certificate: string | undefined;
  readonly key: string | undefined;
  readonly clientCa: string | undefined;
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/;

/**
 * Whoever reaches boot authorization is believed to be the local KMS. So it listens on loopback, or asks every client
 * for a certificate (mutual TLS), or does not start.
 * @throws CharterError `config/bootauth-not-loopback`, `config/bootauth-tls`.
 */
export function readListener({ host, certificate, key, clientCa }: Variables): Listener {
  const paths = [certificate, key, clientCa];
  if (paths.every((path) => path === undefined)) {
    if (LOOPBACK.test(host)) return { host, tls: undefined };
    throw new CharterError(
      "config/bootauth-not-loopback",
      "boot authorization beyond loopback needs mutual TLS",
      { expected: "127.0.0.1, ::1 or localhost, or the three BOOTAUTH_TLS_ variables", actual: host },
    );
  }
  if (certificate === undefined || key === undefined || clientCa === undefined) {
    throw refused("BOOTAUTH_TLS_CERT, BOOTAUTH_TLS_KEY and BOOTAUTH_TLS_CLIENT_CA belong together");
  }
  try {
    const tls = { cert: readFileSync(certificate), key: readFileSync(key), ca: readFileSync(clientCa) };
    // OpenSSL takes a CA file without a certificate for an empty list; then nobody could ever connect.
    if (!tls.ca.includes("-----BEGIN CERTIFICATE-----")) throw new Error("no certificate in the CA file");
    createSecureContext(tls);
    return { host, tls };
  } catch (cause) {
    throw refused("a certificate, its key and the clients' CA, each in PEM, that can be read", cause);
  }
}

const refused = (expected: string, cause?: unknown): CharterError =>
  new CharterError("config/bootauth-tls", `expected ${expected}`, {}, cause === undefined ? {} : { cause });
