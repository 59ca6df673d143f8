/** What no GPU can say of itself (gpu/gpuClaim.ts). */
export const GUEST_ONLY =
  "that the GPU is on the bus of any machine: only a guest's quote over this evidence says so";
