import { cidOfDigest } from "../../../protocol/manifest/cid.ts";
import type { Bytes32 } from "../../../protocol/words/hex.ts";
import { anyRelayer } from "../../session/anyRelayer.ts";
import type { RelayerClient } from "../../session/RelayerClient.ts";
import { byteSource, isDirectory, type ByteSource } from "./byteSource.ts";

/** Who is asked for a manifest or a note. */
export interface BytePlaces {
  readonly relayers: readonly RelayerClient[];
  /** URLs of further sources, see `byteSource`. */
  readonly sources: readonly string[];
}

/** What is asked for, and what makes an answer the right one. */
export interface Wanted<T> {
  readonly digest: Bytes32;
  readonly maxBytes: number;
  /** @throws CharterError where these are other bytes than were asked for, or say what they must not: the next source is asked. */
  readonly check: (bytes: Uint8Array, source: string) => T | Promise<T>;
}

/**
 * Bytes by their SHA-256, from whoever has the right ones: directories of this machine first, then relayers, then IPFS
 * gateways, each kind in the order given.
 * @throws CharterError `source/failed`, `relayer/answer-too-large`, `relayer/…`, what `check` throws.
 */
export function fetchBytes<T>(
  { relayers, sources }: BytePlaces,
  { digest, maxBytes, check }: Wanted<T>,
  signal?: AbortSignal,
): Promise<T> {
  const name = { cid: cidOfDigest(digest), digest, maxBytes };
  const of = (isLocal: boolean): ByteSource[] =>
    sources.filter((url) => isDirectory(url) === isLocal).map(byteSource);
  const keepers = relayers.map((relayer): ByteSource => ({
    url: relayer.url,
    bytes: ({ cid }, until) => relayer.blob(cid, until, maxBytes),
  }));
  const all = [...of(true), ...keepers, ...of(false)];
  return anyRelayer(all, async (source) => check(await source.bytes(name, signal), source.url), "source");
}
