import { z } from "zod";

const path = z.string().startsWith("/").max(4_096);

/**
 * Where to look for hardware, where it is not at the kernel's and dstack's own paths: a socket that a container was given
 * under another name, for one. Evidence from anywhere is judged by its signatures, so no path here is trusted.
 */
export const placesSchema = z.strictObject({
  dstackSockets: z.array(path).min(1).max(16).optional(),
  tsmRoot: path.optional(),
  tdxDevice: path.optional(),
  snpDevice: path.optional(),
  nsmDevice: path.optional(),
  nvidiaDevices: path.optional(),
  /** The kernel's file that extends RTMR3. */
  rtmr3File: path.optional(),
  /** The firmware's log of the boot. */
  ccelFile: path.optional(),
  /** NVIDIA's `nvattest`. */
  nvattest: path.optional(),
  /** virtee's `snpguest`, for keys of an SEV-SNP guest. */
  snpguest: path.optional(),
});

/** Places to look at; what is not named is where a real machine has it. */
export type Places = z.output<typeof placesSchema>;
