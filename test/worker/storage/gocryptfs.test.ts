import { gocryptfsMissing, openGocryptfs } from "../../../worker/storage/gocryptfs.ts";
import { behavesAsVolume } from "./behavesAsVolume.ts";

behavesAsVolume({
  kind: "gocryptfs",
  missing: gocryptfsMissing,
  open: openGocryptfs,
  module: "../../../worker/storage/gocryptfs.ts",
  name: "openGocryptfs",
});
