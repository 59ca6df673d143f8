import { z } from "zod";

/** Fixed-size hex of Intel's JSON documents (upper or lower case, no 0x) → bytes. */
const hexBytes = (length: number) =>
  z
    .string()
    .regex(new RegExp(`^[0-9a-fA-F]{${2 * length}}$`), `expected ${length} bytes of hex`)
    .transform((text) =>
      Uint8Array.from({ length }, (_, i) => Number.parseInt(text.slice(2 * i, 2 * i + 2), 16)),
    );

/** ISO time with seconds in UTC → unix seconds. */
const time = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/, "expected a time like 2026-02-18T10:58:51Z")
  .transform((text) => Date.parse(text) / 1000)
  .pipe(z.number());

const svn = z.number().int().min(0).max(65_535);
const status = z.enum([
  "UpToDate",
  "SWHardeningNeeded",
  "ConfigurationNeeded",
  "ConfigurationAndSWHardeningNeeded",
  "OutOfDate",
  "OutOfDateConfigurationNeeded",
  "Revoked",
]);
const advisoryIds = z.array(z.string().max(64)).max(256).default([]);
const components = z
  .array(z.strictObject({ svn: svn.max(255), category: z.string().optional(), type: z.string().optional() }))
  .length(16)
  .transform((list) => list.map((component) => component.svn));

/** A level that only an ISV SVN decides (QE identity, TDX module identity). */
const isvLevel = z.strictObject({
  tcb: z.strictObject({ isvsvn: svn }),
  tcbDate: time,
  tcbStatus: status,
  advisoryIDs: advisoryIds,
});
export type IsvLevel = z.infer<typeof isvLevel>;

const moduleFields = { mrsigner: hexBytes(48), attributes: hexBytes(8), attributesMask: hexBytes(8) };

/** TCB info version 3 for TDX (Intel PCS API v4, "Get TDX TCB Info"). Unknown keys are refused. */
export const tcbInfoSchema = z.strictObject({
  id: z.literal("TDX"),
  version: z.literal(3),
  issueDate: time,
  nextUpdate: time,
  fmspc: hexBytes(6),
  pceId: hexBytes(2),
  tcbType: z.literal(0),
  tcbEvaluationDataNumber: z.number().int().nonnegative(),
  tdxModule: z.strictObject(moduleFields),
  tdxModuleIdentities: z
    .array(
      z.strictObject({
        id: z.string().regex(/^TDX_[0-9A-F]{2}$/, "expected an id like TDX_01"),
        ...moduleFields,
        tcbLevels: z.array(isvLevel).min(1).max(64),
      }),
    )
    .max(64)
    .default([]),
  tcbLevels: z
    .array(
      z.strictObject({
        tcb: z.strictObject({ sgxtcbcomponents: components, pcesvn: svn, tdxtcbcomponents: components }),
        tcbDate: time,
        tcbStatus: status,
        advisoryIDs: advisoryIds,
      }),
    )
    .min(1)
    .max(256),
});
export type TcbInfo = z.infer<typeof tcbInfoSchema>;

/** Identity of the TD quoting enclave, version 2 (Intel PCS API v4, "Get TDX QE Identity"). */
export const qeIdentitySchema = z.strictObject({
  id: z.literal("TD_QE"),
  version: z.literal(2),
  issueDate: time,
  nextUpdate: time,
  tcbEvaluationDataNumber: z.number().int().nonnegative(),
  miscselect: hexBytes(4),
  miscselectMask: hexBytes(4),
  attributes: hexBytes(16),
  attributesMask: hexBytes(16),
  mrsigner: hexBytes(32),
  isvprodid: svn,
  tcbLevels: z.array(isvLevel).min(1).max(64),
});
export type QeIdentity = z.infer<typeof qeIdentitySchema>;
