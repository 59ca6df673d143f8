import { createHash } from "node:crypto";

import { cidOfDigest, MAX_MANIFEST_BYTES } from "../../protocol/manifest/index.ts";
import { publishDomain, publishTypes } from "../../protocol/session/domains.ts";
import { toHex, type Bytes32 } from "../../protocol/words/hex.ts";
import { CliError } from "./CliError.ts";
import type { Context } from "./context.ts";
import { ExitCode } from "./exitCodes.ts";

/** SHA-256 of raw bytes: compose hash of a manifest, digest of a note. */
export const sha256 = (bytes: Uint8Array): Bytes32 =>
  toHex(createHash("sha256").update(bytes).digest()) as Bytes32;

/** Publishes bytes to the relayer under their CID, signed by the key at hand. Gives the CID. */
export async function publish(context: Context, bytes: Uint8Array): Promise<string> {
  const digest = sha256(bytes);
  const cid = cidOfDigest(digest);
  const { chainId, appRegistry } = context.deployment();
  const { wallet, account } = await context.wallet();
  const signature = await wallet.signTypedData({
    account,
    domain: publishDomain(chainId, appRegistry),
    types: publishTypes,
    primaryType: "Publish",
    message: { digest },
  });
  const response = await relayerFetch(context, `/ipfs/${cid}`, {
    method: "PUT",
    headers: { "content-type": "application/octet-stream", "charter-signature": signature },
    body: Buffer.from(bytes),
  });
  if (!response.ok) throw await refusal(response);
  return cid;
}

/** Bytes by digest from the relayer, checked against it: a relayer's word is not believed. */
export async function fetchByDigest(context: Context, digest: Bytes32): Promise<Uint8Array> {
  const response = await relayerFetch(context, `/ipfs/${cidOfDigest(digest)}`);
  if (!response.ok) throw await refusal(response);
  const bytes = await readLimited(response, MAX_MANIFEST_BYTES);
  if (sha256(bytes) !== digest) {
    throw new CliError(ExitCode.Refused, "ipfs/hash-mismatch", "the relayer answered with other bytes", {
      expected: digest,
      actual: sha256(bytes),
    });
  }
  return bytes;
}

/** A body of at most `limit` bytes: nothing that is kept under a CID of ours is longer. */
async function readLimited(response: Response, limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > limit) {
      throw new CliError(ExitCode.Refused, "ipfs/too-large", "the relayer answered with too many bytes", {
        limit,
      });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** @throws CliError `relayer/unreachable`. */
export async function relayerFetch(context: Context, path: string, init?: RequestInit): Promise<Response> {
  const url = `${context.relayerUrl()}${path}`;
  try {
    return await fetch(url, { ...init, signal: AbortSignal.timeout(15_000) });
  } catch {
    throw new CliError(ExitCode.Unreachable, "relayer/unreachable", `the relayer cannot be reached`, { url });
  }
}

/** What the relayer refused with. */
export async function refusal(response: Response): Promise<CliError> {
  const body = (await response.json().catch(() => null)) as {
    error?: { code?: string; message?: string };
  } | null;
  return new CliError(
    ExitCode.Refused,
    body?.error?.code ?? "relayer/refused",
    body?.error?.message ?? `the relayer answered ${response.status}`,
  );
}
