import type { VendorConfig } from "../../../relayer/vendorConfig.ts";

/** Nobody listens there. */
const NOWHERE = "http://127.0.0.1:9";

/** Vendors of whom only what a test names answers or is trusted beside the real ones. */
export const vendorsWith = (of: Partial<VendorConfig>): VendorConfig => ({
  pcsUrl: NOWHERE,
  kdsUrl: NOWHERE,
  rimUrl: NOWHERE,
  ocspUrl: NOWHERE,
  testRootPem: undefined,
  amdTestRootPem: undefined,
  nitroTestRootPem: undefined,
  gpuTestRootPem: undefined,
  rimTestRootPem: undefined,
  snpFloors: undefined,
  nextSnpFloors: undefined,
  ...of,
});
