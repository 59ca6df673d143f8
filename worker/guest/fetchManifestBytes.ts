import { nodeCrypto } from "../../protocol/crypto/node.ts";
import { CharterError } from "../../protocol/errors/CharterError.ts";
import { cidOfDigest } from "../../protocol/manifest/cid.ts";
import { composeHash as hashOf } from "../../protocol/manifest/composeHash.ts";
import type { ComposeHash } from "../../protocol/words/hex.ts";
import { anyRelayer } from "../session/anyRelayer.ts";
import type { RelayerClient } from "../session/RelayerClient.ts";

/**
 * A manifest's exact bytes, by their hash, from whichever relayer has the right ones.
 * @throws CharterError `manifest/wrong-hash`, `relayer/answer-too-large`, `relayer/…`.
 */
export function fetchManifestBytes(
  relayers: readonly RelayerClient[],
  composeHash: ComposeHash,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const cid = cidOfDigest(composeHash);
  return anyRelayer(relayers, async (relayer) => {
    const answer = await relayer.blob(cid, signal);
    const actual = await hashOf(answer, nodeCrypto);
    if (actual !== composeHash) {
      throw new CharterError("manifest/wrong-hash", "these are not the bytes of that compose hash", {
        expected: composeHash,
        actual,
        relayer: relayer.url,
      });
    }
    return answer;
  });
}
