import * as z from "zod/mini";

import { CharterError } from "../../errors/CharterError.ts";
import { firstIssue } from "../../words/issues.ts";
import type { TcbFloors } from "./snpTcb.ts";

const svn = z.int().check(z.minimum(0), z.maximum(255));
const parts = { bootloader: svn, tee: svn, snp: svn, microcode: svn };

/** Every part is said, so that none is forgotten; `fmc` exists on Turin alone. */
const floorsSchema = z
  .strictObject({
    Milan: z.optional(z.strictObject(parts)),
    Genoa: z.optional(z.strictObject(parts)),
    Turin: z.optional(z.strictObject({ fmc: svn, ...parts })),
  })
  .check(z.refine((floors) => Object.keys(floors).length > 0, "expected at least one product"));

/**
 * Lowest accepted security versions by product, from JSON: `{"Milan": {"bootloader": 4, "tee": 0, "snp": 24,
 * "microcode": 219}}`. Products that it leaves out are held to be out of date. @throws CharterError `collateral/malformed`.
 */
export function parseTcbFloors(json: unknown): TcbFloors {
  const parsed = z.safeParse(floorsSchema, json);
  if (!parsed.success) {
    throw new CharterError(
      "collateral/malformed",
      `expected lowest TCB versions: ${firstIssue(parsed.error)}`,
    );
  }
  const { Milan, Genoa, Turin } = parsed.data;
  return {
    ...(Milan ? { Milan: { fmc: 0, ...Milan } } : {}),
    ...(Genoa ? { Genoa: { fmc: 0, ...Genoa } } : {}),
    ...(Turin ? { Turin } : {}),
  };
}
