import { connect, type TLSSocket } from "node:tls";

import {
  ATTESTATION_PROTOCOL,
  attestationSchema,
  MAX_ATTESTATION_BYTES,
} from "../../../protocol/session/attestation.ts";
import type { Attestation } from "../../../protocol/session/attestation.ts";
import { CliError } from "../CliError.ts";
import { ExitCode } from "../exitCodes.ts";

/** Where to connect, and which name to ask for there. */
export interface Where {
  readonly host: string;
  readonly port: number;
  readonly serverName: string;
}

/** A TLS connection and what the server showed. No byte was sent in it but the handshake's. */
export interface Met {
  readonly socket: TLSSocket;
  /** DER. */
  readonly certificate: Uint8Array;
  /** SubjectPublicKeyInfo, DER: the key that the server holds. */
  readonly publicKey: Uint8Array;
}

const TIMEOUT_MS = 10_000;

/** Opens TLS to whoever answers: no CA is asked, the caller judges the certificate. @throws CliError `call/unreachable`. */
export async function meet({ host, port, serverName }: Where, protocol: string): Promise<Met> {
  const socket = connect({
    host,
    port,
    servername: serverName,
    ALPNProtocols: [protocol],
    rejectUnauthorized: false,
    minVersion: "TLSv1.2",
  });
  socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error("no answer in time")));
  await new Promise<void>((resolve, reject) => {
    socket.once("secureConnect", resolve);
    socket.once("error", (cause) => reject(unreachable(host, port, cause)));
  });
  const shown = socket.getPeerX509Certificate();
  if (shown === undefined) {
    socket.destroy();
    throw unreachable(host, port, new Error("no certificate was shown"));
  }
  return {
    socket,
    certificate: Uint8Array.from(shown.raw),
    publicKey: Uint8Array.from(shown.publicKey.export({ type: "spki", format: "der" })),
  };
}

/** Asks an instance for its evidence and lease, in a connection of its own. @throws CliError `call/unreachable`, `call/malformed-attestation`. */
export async function askAttestation(where: Where): Promise<Met & { readonly attestation: Attestation }> {
  const met = await meet(where, ATTESTATION_PROTOCOL);
  try {
    const parsed = attestationSchema.safeParse(parseJson(await readAll(met.socket, where)));
    if (parsed.success) return { ...met, attestation: parsed.data };
    throw new CliError(
      ExitCode.NotVerified,
      "call/malformed-attestation",
      "the instance gave no attestation",
      {
        issues: parsed.error.issues.slice(0, 5).map(({ path, message }) => `${path.join(".")}: ${message}`),
      },
    );
  } finally {
    met.socket.destroy();
  }
}

async function readAll(socket: TLSSocket, { host, port }: Where): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > MAX_ATTESTATION_BYTES) throw new Error("the attestation is too long");
      chunks.push(chunk);
    }
  } catch (cause) {
    throw unreachable(host, port, cause);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // No schema accepts it.
  }
}

const unreachable = (host: string, port: number, cause: unknown): CliError =>
  new CliError(ExitCode.Unreachable, "call/unreachable", "the instance does not answer", {
    host,
    port,
    cause: cause instanceof Error ? cause.message : String(cause),
  });
