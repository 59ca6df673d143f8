import { keccak256 } from "../crypto/keccak.ts";
import type { Bytes32 } from "../words/hex.ts";
import type { Placements } from "./messages.ts";

const encoder = new TextEncoder();

/** Names a list of placements, so that a node can ask for the next one that is unlike it. */
export const placementsDigest = (placements: Placements["placements"]): Bytes32 =>
  keccak256(
    encoder.encode(
      JSON.stringify(
        placements.map(({ app, release, composeHash, slot }) => [app, release, composeHash, slot]),
      ),
    ),
  );
