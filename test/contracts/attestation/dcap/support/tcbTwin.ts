import { concat, keccak256, toBeHex } from "ethers";
import type * as z from "zod/mini";

import { judgeTcb } from "../../../../../protocol/evidence/dcap/judgeTcb.ts";
import {
  qeIdentitySchema,
  tcbInfoSchema,
  type QeIdentity,
  type TcbInfo,
} from "../../../../../protocol/evidence/dcap/tcbSchemas.ts";
import { Checklist } from "../../../../../protocol/evidence/EvidenceError.ts";
import { isCharterError } from "../../../../../protocol/errors/CharterError.ts";
import { advisoriesDigest } from "../../../../../protocol/session/verdict.ts";
import { parseStrictJson } from "../../../../../protocol/words/strictJson.ts";

/** All that TCB rules ask of a platform; byte strings as in quote and certificate. */
export interface Platform {
  readonly tee: "tdx" | "sgx";
  readonly fmspc: Uint8Array;
  readonly pceId: Uint8Array;
  readonly pceSvn: number;
  readonly sgxSvns: Uint8Array;
  readonly qe: {
    readonly miscSelect: Uint8Array;
    readonly attributes: Uint8Array;
    readonly mrSigner: Uint8Array;
    readonly isvProdId: number;
    readonly isvSvn: number;
  };
  readonly teeTcbSvn: Uint8Array;
  readonly mrSignerSeam: Uint8Array;
  readonly seamAttributes: Uint8Array;
}

const TEE = { tdx: 1, sgx: 2 } as const;
const PLATFORM_CA = 1;

/** The same as the contracts' struct. */
export function platformStruct(platform: Platform) {
  const isTdx = platform.tee === "tdx";
  return {
    tee: TEE[platform.tee],
    ca: PLATFORM_CA,
    serial: 1n,
    fmspc: platform.fmspc,
    pceId: platform.pceId,
    pceSvn: platform.pceSvn,
    sgxSvns: platform.sgxSvns,
    qeMiscSelect: platform.qe.miscSelect,
    qeAttributes: platform.qe.attributes,
    qeMrSigner: platform.qe.mrSigner,
    qeIsvProdId: platform.qe.isvProdId,
    qeIsvSvn: platform.qe.isvSvn,
    teeTcbSvn: isTdx ? platform.teeTcbSvn : new Uint8Array(16),
    seamIdentity: isTdx
      ? keccak256(concat([platform.mrSignerSeam, platform.seamAttributes]))
      : new Uint8Array(32),
    seamAttributes: isTdx ? platform.seamAttributes : new Uint8Array(8),
  };
}

/** What the verifier off chain reads in a text; undefined when it refuses it. */
export const readTcbInfo = (text: string): TcbInfo | undefined => read(tcbInfoSchema, text);
export const readQeIdentity = (text: string): QeIdentity | undefined => read(qeIdentitySchema, text);

function read<T>(schema: z.ZodMiniType<T>, text: string): T | undefined {
  try {
    const content = schema.safeParse(parseStrictJson(text, "document"));
    return content.success ? content.data : undefined;
  } catch (error) {
    if (isCharterError(error)) return undefined;
    throw error;
  }
}

/** Which error of the contracts says what a check off chain says. */
const ERRORS: Readonly<Record<string, string>> = {
  "evidence/qe-identity-kind": "QeIdentityMismatch",
  "evidence/qe-identity": "QeIdentityMismatch",
  "evidence/qe-tcb": "QeTcbNotCovered",
  "evidence/tcb-info-kind": "CollateralMissing",
  "evidence/tdx-module": "ModuleIdentityMismatch",
  "evidence/tdx-module-tcb": "ModuleTcbNotCovered",
  "evidence/platform-tcb": "PlatformTcbNotCovered",
};

/** The judgement off chain in the contracts' words: status and digest, or the name of the error. */
export function judgeTwin(tcbInfo: TcbInfo, qeIdentity: QeIdentity, platform: Platform): string {
  type Arguments = Parameters<typeof judgeTcb>;
  const report =
    platform.tee === "tdx"
      ? {
          kind: "tdx",
          teeTcbSvn: platform.teeTcbSvn,
          mrSignerSeam: platform.mrSignerSeam,
          seamAttributes: platform.seamAttributes,
        }
      : { kind: "sgx" };
  try {
    const { status, advisoryIds } = judgeTcb(
      new Checklist(),
      { report, qeReport: platform.qe } as unknown as Arguments[1],
      { ...platform, sgxSvns: [...platform.sgxSvns] } as unknown as Arguments[2],
      { tcbInfo: { content: tcbInfo }, qeIdentity: { content: qeIdentity } } as unknown as Arguments[3],
    );
    return `${status} ${advisoriesDigest(advisoryIds)}`;
  } catch (error) {
    if (!isCharterError(error)) throw error;
    if (error.code !== "evidence/tcb-info-platform") return ERRORS[error.code] ?? error.code;
    // On chain documents are found by FMSPC, so another one is a missing one.
    const isOtherFamily = toBeHex(bigintOf(tcbInfo.fmspc)) !== toBeHex(bigintOf(platform.fmspc));
    return isOtherFamily ? "CollateralMissing" : "PceIdMismatch";
  }
}

const bigintOf = (bytes: Uint8Array): bigint => BigInt(`0x0${Buffer.from(bytes).toString("hex")}`);
