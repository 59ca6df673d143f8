import * as z from "zod/mini";

/** Fixed-size hex of Intel's JSON documents (upper or lower case, no 0x) → bytes. */
const hexBytes = (length: number) =>
  z.pipe(
    z.string().check(z.regex(new RegExp(`^[0-9a-fA-F]{${2 * length}}$`), `expected ${length} bytes of hex`)),
    z.transform((text: string) =>
      Uint8Array.from({ length }, (_, i) => Number.parseInt(text.slice(2 * i, 2 * i + 2), 16)),
    ),
  );

/** ISO time from 1970 on with seconds in UTC → unix seconds. `Date` reads February 30 as March 2, so it is asked back. */
const time = z.pipe(
  z.string().check(
    z.regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/, "expected a time like 2026-02-18T10:58:51Z"),
    z.refine(
      (text) =>
        !Number.isNaN(Date.parse(text)) && new Date(text).toISOString() === text.replace("Z", ".000Z"),
      "expected a date that the calendar has",
    ),
  ),
  z.pipe(
    z.transform((text: string) => Date.parse(text) / 1000),
    z.number().check(z.minimum(0)),
  ),
);

const natural = (most: number) => z.number().check(z.int(), z.minimum(0), z.maximum(most));
const svn = natural(65_535);
const status = z.enum([
  "UpToDate",
  "SWHardeningNeeded",
  "ConfigurationNeeded",
  "ConfigurationAndSWHardeningNeeded",
  "OutOfDate",
  "OutOfDateConfigurationNeeded",
  "Revoked",
]);
/** Ids are joined by "," for their digest: one that held a comma would be two (AdvisorySets.sol has the same letters). */
const advisoryId = z
  .string()
  .check(z.regex(/^[A-Z0-9-]{1,31}$/, "expected an advisory id like INTEL-SA-01036"));
const advisoryIds = z._default(z.array(advisoryId).check(z.maxLength(256)), []);
const component = z.strictObject({
  svn: natural(255),
  category: z.optional(z.string()),
  type: z.optional(z.string()),
});
const components = z.pipe(
  z.array(component).check(z.length(16)),
  z.transform((list: z.infer<typeof component>[]) => list.map(({ svn }) => svn)),
);

const levelFields = { tcbDate: time, tcbStatus: status, advisoryIDs: advisoryIds };

/** A level that only an ISV SVN decides (QE identity, TDX module identity). */
const isvLevel = z.strictObject({ tcb: z.strictObject({ isvsvn: svn }), ...levelFields });
export type IsvLevel = z.infer<typeof isvLevel>;
const isvLevels = z.array(isvLevel).check(z.minLength(1), z.maxLength(64));

const sgxTcb = { sgxtcbcomponents: components, pcesvn: svn };
const sgxLevel = z.strictObject({
  tcb: z.strictObject({ ...sgxTcb, tdxtcbcomponents: z.optional(z.undefined()) }),
  ...levelFields,
});
const tdxLevel = z.strictObject({
  tcb: z.strictObject({ ...sgxTcb, tdxtcbcomponents: components }),
  ...levelFields,
});

const moduleFields = { mrsigner: hexBytes(48), attributes: hexBytes(8), attributesMask: hexBytes(8) };

const tcbInfoFields = {
  version: z.literal(3),
  issueDate: time,
  nextUpdate: time,
  fmspc: hexBytes(6),
  pceId: hexBytes(2),
  tcbType: z.literal(0),
  tcbEvaluationDataNumber: natural(0xffff_ffff),
};

const tdxTcbInfo = z.strictObject({
  id: z.literal("TDX"),
  ...tcbInfoFields,
  tdxModule: z.strictObject(moduleFields),
  tdxModuleIdentities: z._default(
    z
      .array(
        z.strictObject({
          id: z.string().check(z.regex(/^TDX_[0-9A-F]{2}$/, "expected an id like TDX_01")),
          ...moduleFields,
          tcbLevels: isvLevels,
        }),
      )
      .check(z.maxLength(64)),
    [],
  ),
  tcbLevels: z.array(tdxLevel).check(z.minLength(1), z.maxLength(256)),
});
export type TdxTcbInfo = z.infer<typeof tdxTcbInfo>;

const sgxTcbInfo = z.strictObject({
  id: z.literal("SGX"),
  ...tcbInfoFields,
  tcbLevels: z.array(sgxLevel).check(z.minLength(1), z.maxLength(256)),
});

/** TCB info version 3 for TDX or SGX (Intel PCS API v4, "Get TCB Info"). Unknown keys are refused. */
export const tcbInfoSchema = z.discriminatedUnion("id", [tdxTcbInfo, sgxTcbInfo]);
export type TcbInfo = z.infer<typeof tcbInfoSchema>;

/** Identity of a quoting enclave, version 2 (Intel PCS API v4, "Get Quoting Enclave Identity"). */
export const qeIdentitySchema = z.strictObject({
  id: z.enum(["TD_QE", "QE"]),
  version: z.literal(2),
  issueDate: time,
  nextUpdate: time,
  tcbEvaluationDataNumber: natural(0xffff_ffff),
  miscselect: hexBytes(4),
  miscselectMask: hexBytes(4),
  attributes: hexBytes(16),
  attributesMask: hexBytes(16),
  mrsigner: hexBytes(32),
  isvprodid: svn,
  tcbLevels: isvLevels,
});
export type QeIdentity = z.infer<typeof qeIdentitySchema>;
