import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { CharterError, isCharterError } from "../../protocol/errors/CharterError.ts";
import { MAX_MANIFEST_BYTES } from "../../protocol/manifest/manifest.ts";
import type { ComposeHash } from "../../protocol/words/hex.ts";
import { readBounded } from "../session/readBounded.ts";

/** What a manifest is asked for by: its CID (version 1, raw, SHA-256) and the hash in it. */
export interface ManifestName {
  readonly cid: string;
  readonly composeHash: ComposeHash;
}

/** Where a manifest may be had from. Its hash decides, so nobody here is trusted. */
export interface ManifestSource {
  readonly url: string;
  /** Unchecked bytes, at most 1 MiB. @throws CharterError */
  bytes(name: ManifestName, signal?: AbortSignal): Promise<Uint8Array>;
}

const TIMEOUT_MS = 20_000;

/**
 * A source by its URL: `http(s)://` an IPFS gateway (Path Gateway and Trustless Gateway Specification: `/ipfs/<cid>`, asked for
 * the raw block), `file://` a directory of this machine with files `<cid>` or `<compose hash>.json`.
 */
export function manifestSource(url: string): ManifestSource {
  return isDirectory(url)
    ? { url, bytes: (name) => fromDirectory(fileURLToPath(url), name) }
    : { url, bytes: ({ cid }, signal) => fromGateway(url, cid, signal) };
}

/** Whether a source is of this machine: it is asked before all that is asked over a network. */
export const isDirectory = (url: string): boolean => url.startsWith("file:");

/** @throws CharterError `manifest/source-failed`, `relayer/answer-too-large` */
async function fromGateway(url: string, cid: string, signal?: AbortSignal): Promise<Uint8Array> {
  const asked = `${url.replace(/\/+$/, "")}/ipfs/${cid}`;
  const failed = (detail: object, cause?: unknown): CharterError =>
    new CharterError(
      "manifest/source-failed",
      "the IPFS gateway gave no manifest",
      { url: asked, ...detail },
      { cause },
    );
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const response = await fetch(asked, {
      headers: { accept: "application/vnd.ipld.raw" },
      signal: signal ? AbortSignal.any([timeout, signal]) : timeout,
    });
    if (response.ok) return await readBounded(response, MAX_MANIFEST_BYTES);
    await response.body?.cancel();
    throw failed({ status: response.status });
  } catch (cause) {
    if (isCharterError(cause)) throw cause;
    throw failed({}, cause);
  }
}

/** @throws CharterError `manifest/source-failed` */
async function fromDirectory(directory: string, { cid, composeHash }: ManifestName): Promise<Uint8Array> {
  const names = [cid, `${composeHash}.json`];
  for (const name of names) {
    const path = join(directory, name);
    try {
      const found = await stat(path);
      if (found.isFile() && found.size <= MAX_MANIFEST_BYTES) return await readFile(path);
    } catch {
      // It is not there, or not for us to read: another may have it.
    }
  }
  throw new CharterError("manifest/source-failed", "the directory has no such manifest", {
    directory,
    expected: names,
  });
}
