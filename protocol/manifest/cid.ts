import { CID } from "multiformats/cid";
import * as raw from "multiformats/codecs/raw";
import { create } from "multiformats/hashes/digest";

import { CharterError } from "../errors/CharterError.ts";
import { fromHex, toHex, type Bytes32 } from "../words/hex.ts";

const SHA2_256 = 0x12;

/** CIDv1 (raw, sha2-256) of a SHA-256 digest: the IPFS address of the bytes. */
export function cidOfDigest(digest: Bytes32): string {
  return CID.createV1(raw.code, create(SHA2_256, fromHex(digest))).toString();
}

/** The SHA-256 digest inside a CIDv1 (raw, sha2-256). @throws CharterError `cid/invalid` for any other CID. */
export function digestOfCid(text: string): Bytes32 {
  let cid: CID;
  try {
    cid = CID.parse(text);
  } catch (cause) {
    throw new CharterError("cid/invalid", "expected a CID", { actual: text }, { cause });
  }
  const { version, code, multihash } = cid;
  if (version !== 1 || code !== raw.code || multihash.code !== SHA2_256 || multihash.digest.length !== 32) {
    throw new CharterError("cid/invalid", "expected a CIDv1 with the raw codec and sha2-256", {
      actual: text,
    });
  }
  return toHex(multihash.digest) as Bytes32;
}
