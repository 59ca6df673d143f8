import Fastify, { type FastifyInstance } from "fastify";

import { DerReader, readOnly, Tag } from "../../../../protocol/der/DerReader.ts";
import { CharterError } from "../../../../protocol/errors/CharterError.ts";
import { readCertId } from "../../../../protocol/evidence/gpu/ocsp/certId.ts";
import { fromHex, toHex, type Hex } from "../../../../protocol/words/hex.ts";
import type { Issuer } from "../certificate.ts";
import type { GpuPki } from "./gpuPki.ts";
import { issuerHashes, makeOcsp, ocspResponder, refuseOcsp, type OcspState } from "./ocsp.ts";

export interface OcspServerOptions {
  readonly pki: GpuPki;
  /** Unix seconds. */
  readonly now: () => number;
  /** How long an answer holds; default a day, as NVIDIA's do. */
  readonly validitySeconds?: number;
  /** Of a certificate by its serial (0x hex); undefined for what the vendor has not recorded. */
  readonly stateOf?: (serial: string) => OcspState | undefined;
}

const DAY = 86_400;
const MALFORMED = 1;
const UNAUTHORIZED = 6;

/**
 * The simulated vendor's OCSP service, answering as NVIDIA's does (NVIDIA OCSP service, "OCSP Responses"): one certificate
 * for each request; each CA has a responder of its own; a serial that nobody revoked is good; and of an issuer that is no CA
 * of the vendor's, as a GPU is of its own attestation certificates, it knows nothing and answers "unauthorized".
 */
export function createOcspServer(options: OcspServerOptions): FastifyInstance {
  const { pki, now, validitySeconds = DAY, stateOf } = options;
  const issuers = new Map<string, Issuer>(
    [...pki.cas, ...pki.rimCas].map((issuer) => [toHex(issuerHashes(issuer).key), issuer]),
  );
  const server = Fastify({ logger: false, bodyLimit: 4_096 });
  server.addContentTypeParser("application/ocsp-request", { parseAs: "buffer" }, (_request, body, done) =>
    done(null, body),
  );

  const answer = (body: Uint8Array): Buffer => {
    const { issuerKey, serial, nonce } = parseRequest(body);
    const issuer = issuers.get(issuerKey);
    if (!issuer) return refuseOcsp(UNAUTHORIZED);
    return makeOcsp({
      issuer,
      responder: ocspResponder(pki, issuer),
      states: [[fromHex(serial), stateOf?.(serial) ?? "good"]],
      thisUpdate: now(),
      nextUpdate: now() + validitySeconds,
      ...(nonce === undefined ? {} : { nonce }),
    });
  };

  server.post<{ Body: Buffer }>("/", ({ body }, reply) => {
    reply.type("application/ocsp-response");
    try {
      return reply.send(answer(body));
    } catch (error) {
      if (!(error instanceof CharterError)) throw error;
      return reply.send(refuseOcsp(MALFORMED));
    }
  });
  return server;
}

/** An OCSPRequest for one certificate (RFC 6960 §4.1.1). @throws DerError. */
function parseRequest(bytes: Uint8Array): { issuerKey: Hex; serial: Hex; nonce?: Uint8Array } {
  const outer = readOnly(bytes, Tag.Sequence);
  const tbs = outer.enter(Tag.Sequence);
  outer.end();
  const list = tbs.enter(Tag.Sequence);
  const request = list.enter(Tag.Sequence);
  list.end();
  const { keyHash, serial } = readCertId(request);
  request.end();
  if (tbs.isAtEnd) return { issuerKey: keyHash, serial: serial as Hex };
  const extension = tbs.enter(0xa2).enter(Tag.Sequence).enter(Tag.Sequence);
  tbs.end();
  extension.read(Tag.ObjectId);
  const value = new DerReader(extension.read(Tag.OctetString).content);
  extension.end();
  return { issuerKey: keyHash, serial: serial as Hex, nonce: value.read(Tag.OctetString).content };
}
