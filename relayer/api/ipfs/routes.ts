import type { FastifyInstance, FastifyReply } from "fastify";

import { cidOfDigest, digestOfCid } from "../../../protocol/manifest/cid.ts";
import { CharterError } from "../../../protocol/errors/CharterError.ts";
import { signatureSchema } from "../../../protocol/session/messages.ts";
import type { ChainState } from "../../../protocol/state/types.ts";
import type { Address, Bytes32 } from "../../../protocol/words/hex.ts";
import type { BlobStore } from "../../store/blobStore.ts";
import { parseMessage } from "../errors.ts";
import { RateLimiter } from "../limits/RateLimiter.ts";
import { MAX_BLOB_BYTES, requireDigest, requirePublishable } from "./publication.ts";

export interface IpfsOptions {
  readonly blobs: Pick<BlobStore, "get" | "has" | "put">;
  /** Newest state: bytes are welcome as soon as an event names them. */
  readonly newestState: () => ChainState;
  readonly publishers: readonly Address[];
  readonly chainId: number;
  readonly appRegistry: Address;
}

/** Manifests and notes that one owner may publish in a day before an event names them; an app costs but its gas. */
const MAX_PER_OWNER = 64;

/**
 * Manifests and notes by CID (raw, sha2-256), and the three calls that graph-node makes of an IPFS endpoint
 * (DESIGN section 10). Readers recompute the hash: what leaves here is bytes, never a page.
 */
export function ipfsRoutes(server: FastifyInstance, options: IpfsOptions): void {
  const { blobs, newestState, publishers, chainId, appRegistry } = options;
  const ofOwners = new RateLimiter({ max: MAX_PER_OWNER, windowSeconds: 86_400 });

  // Bytes are what they are, whatever content type the sender names; kept inside this plugin's scope.
  server.removeAllContentTypeParsers();
  server.addContentTypeParser("*", { parseAs: "buffer", bodyLimit: MAX_BLOB_BYTES }, (_request, body, done) =>
    done(null, body),
  );

  server.get<{ Params: { cid: string } }>("/ipfs/:cid", async ({ params }, reply) => {
    const bytes = await read(blobs, params.cid);
    return asBytes(reply).header("etag", `"${params.cid}"`).send(bytes);
  });

  server.put<{ Params: { cid: string } }>(
    "/ipfs/:cid",
    { bodyLimit: MAX_BLOB_BYTES, config: { rateLimit: { max: 120, timeWindow: 60_000 } } },
    async (request, reply) => {
      const digest = digestOfCid(request.params.cid);
      const bytes = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      requireDigest(bytes, digest);
      const header = request.headers["charter-signature"];
      const signature = header === undefined ? undefined : parseMessage(signatureSchema, header);
      const state = newestState();
      const owner = requirePublishable({ state, digest, signature, publishers, chainId, appRegistry });
      const existed = await blobs.has(digest);
      if (owner !== null && !existed) requireWithin(ofOwners, owner);
      await blobs.put(digest, bytes);
      return reply.code(existed ? 200 : 201).send({ cid: cidOfDigest(digest), digest });
    },
  );

  server.post("/api/v0/version", () => ({
    Version: "0.0.0",
    Commit: "",
    Repo: "",
    System: "charter",
    Golang: "",
  }));

  server.post<{ Querystring: { arg?: string } }>("/api/v0/cat", async ({ query }, reply) => {
    try {
      return await asBytes(reply).send(await read(blobs, query.arg ?? ""));
    } catch (error) {
      // The RPC's own shape of an error, which graph-node reads.
      const message = error instanceof CharterError ? error.message : "internal failure";
      return reply.code(500).type("application/json").send({ Message: message, Code: 0, Type: "error" });
    }
  });
}

/** @throws CharterError `api/too-many-requests`. */
function requireWithin(limiter: RateLimiter, owner: Address): void {
  const retryAfterSeconds = limiter.waitSeconds(owner);
  if (retryAfterSeconds > 0) {
    throw new CharterError("api/too-many-requests", "too many requests; wait before the next", {
      retryAfterSeconds,
    });
  }
  limiter.count(owner);
}

async function read(blobs: Pick<BlobStore, "get">, cid: string): Promise<Uint8Array> {
  const digest: Bytes32 = digestOfCid(cid);
  const bytes = await blobs.get(digest);
  if (bytes === null) throw new CharterError("ipfs/unknown", "these bytes are not kept here", { cid });
  return bytes;
}

/** A manifest is anyone's text: no browser may take it for a page or a script. */
function asBytes(reply: FastifyReply): FastifyReply {
  return reply
    .type("application/octet-stream")
    .header("x-content-type-options", "nosniff")
    .header("content-security-policy", "sandbox; default-src 'none'")
    .header("content-disposition", "attachment")
    .header("cache-control", "public, max-age=31536000, immutable");
}
