export {
  familyKey,
  platformFamily,
  type PckCa,
  type PlatformFamily,
} from "../../protocol/evidence/dcap/platformFamily.ts";
