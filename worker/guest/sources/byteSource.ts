import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { CharterError, isCharterError } from "../../../protocol/errors/CharterError.ts";
import type { Bytes32 } from "../../../protocol/words/hex.ts";
import { readBounded } from "../../session/readBounded.ts";

/** What bytes are asked for by: their CID (version 1, raw, SHA-256), the hash in it, and how many there may be at most. */
export interface BytesName {
  readonly cid: string;
  readonly digest: Bytes32;
  readonly maxBytes: number;
}

/** Where manifests and notes may be had from. Their hash decides, so nobody here is trusted. */
export interface ByteSource {
  readonly url: string;
  /** Unchecked bytes, no more than were asked for. @throws CharterError */
  bytes(name: BytesName, signal?: AbortSignal): Promise<Uint8Array>;
}

const TIMEOUT_MS = 20_000;

/**
 * A source by its URL: `http(s)://` an IPFS gateway (Path Gateway and Trustless Gateway Specification: `/ipfs/<cid>`, asked for
 * the raw block), `file://` a directory of this machine with files `<cid>` or `<hash>.json`.
 */
export function byteSource(url: string): ByteSource {
  return isDirectory(url)
    ? { url, bytes: (name) => fromDirectory(fileURLToPath(url), name) }
    : { url, bytes: (name, signal) => fromGateway(url, name, signal) };
}

/** Whether a source is of this machine: it is asked before all that is asked over a network. */
export const isDirectory = (url: string): boolean => url.startsWith("file:");

/** @throws CharterError `source/failed`, `relayer/answer-too-large` */
async function fromGateway(
  url: string,
  { cid, maxBytes }: BytesName,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const asked = `${url.replace(/\/+$/, "")}/ipfs/${cid}`;
  const failed = (detail: object, cause?: unknown): CharterError =>
    new CharterError(
      "source/failed",
      "the IPFS gateway did not give these bytes",
      { url: asked, ...detail },
      { cause },
    );
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const response = await fetch(asked, {
      headers: { accept: "application/vnd.ipld.raw" },
      signal: signal ? AbortSignal.any([timeout, signal]) : timeout,
    });
    if (response.ok) return await readBounded(response, maxBytes);
    await response.body?.cancel();
    throw failed({ status: response.status });
  } catch (cause) {
    if (isCharterError(cause)) throw cause;
    throw failed({}, cause);
  }
}

/** @throws CharterError `source/failed` */
async function fromDirectory(directory: string, { cid, digest, maxBytes }: BytesName): Promise<Uint8Array> {
  const names = [cid, `${digest}.json`];
  for (const name of names) {
    const path = join(directory, name);
    try {
      const found = await stat(path);
      if (found.isFile() && found.size <= maxBytes) return await readFile(path);
    } catch {
      // It is not there, or not for us to read: another may have it.
    }
  }
  throw new CharterError("source/failed", "the directory has no such file", { directory, expected: names });
}
