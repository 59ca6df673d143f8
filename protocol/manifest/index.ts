export { cidOfDigest, digestOfCid } from "./cid.ts";
export { composeHash } from "./composeHash.ts";
export { MAX_MANIFEST_BYTES, parseManifest, type Manifest } from "./manifest.ts";
