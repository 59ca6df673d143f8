import { nodeCrypto } from "../../protocol/crypto/node.ts";
import { CharterError } from "../../protocol/errors/CharterError.ts";
import { cidOfDigest } from "../../protocol/manifest/cid.ts";
import { composeHash as hashOf } from "../../protocol/manifest/composeHash.ts";
import type { ComposeHash } from "../../protocol/words/hex.ts";
import { anyRelayer } from "../session/anyRelayer.ts";
import type { RelayerClient } from "../session/RelayerClient.ts";
import { isDirectory, manifestSource, type ManifestSource } from "./manifestSource.ts";

/** Who is asked for a manifest. */
export interface ManifestPlaces {
  readonly relayers: readonly RelayerClient[];
  /** URLs of further sources, see `manifestSource`. */
  readonly sources: readonly string[];
}

/**
 * A manifest's exact bytes, by their hash, from whoever has the right ones: directories of this machine first, then relayers,
 * then IPFS gateways, each kind in the order given.
 * @throws CharterError `manifest/wrong-hash`, `manifest/source-failed`, `relayer/answer-too-large`, `relayer/…`.
 */
export function fetchManifestBytes(
  { relayers, sources }: ManifestPlaces,
  composeHash: ComposeHash,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const cid = cidOfDigest(composeHash);
  const of = (isLocal: boolean): ManifestSource[] =>
    sources.filter((url) => isDirectory(url) === isLocal).map(manifestSource);
  const keepers = relayers.map((relayer): ManifestSource => ({
    url: relayer.url,
    bytes: (name, until) => relayer.blob(name.cid, until),
  }));
  return anyRelayer([...of(true), ...keepers, ...of(false)], async (source) => {
    const answer = await source.bytes({ cid, composeHash }, signal);
    const actual = await hashOf(answer, nodeCrypto);
    if (actual !== composeHash) {
      throw new CharterError("manifest/wrong-hash", "these are not the bytes of that compose hash", {
        expected: composeHash,
        actual,
        source: source.url,
      });
    }
    return answer;
  });
}
