export { cidOfDigest, digestOfCid } from "./cid.ts";
export { changesText } from "./changesText.ts";
export { parseComposeFile, type ComposeFile } from "./composeFile.ts";
export { composeHash } from "./composeHash.ts";
export { diffManifests, type ManifestChange } from "./diff.ts";
export { MAX_MANIFEST_BYTES, parseManifest, type Manifest } from "./manifest.ts";
export { shown } from "./plain.ts";
