import { createHash, type KeyObject } from "node:crypto";

import { toHex, type PlatformId } from "../../../protocol/words/hex.ts";
import { issueCertificate, toPem } from "./certificate.ts";
import { deriveKey, labelled } from "./keys.ts";
import { serialOf, SIMULATED_FMSPC, type TestPki } from "./pki.ts";
import { SGX_EXTENSIONS, sgxExtensions } from "./sgxExtensions.ts";
import { CURRENT_TCB, OLD_TCB, type PlatformTcb } from "./tcb.ts";

/** One physical machine of the simulated vendor. */
export interface SimulatedPlatform {
  readonly name: string;
  /** 16 bytes. */
  readonly ppid: Uint8Array;
  /** SHA-256 of the PPID: Charter's platform id, dstack's device id. */
  readonly platformId: PlatformId;
  /** Upper-case hex, as collateral is asked for. */
  readonly fmspc: string;
  readonly tcb: PlatformTcb;
  readonly pckKey: KeyObject;
  readonly attestationKey: KeyObject;
  readonly pckSerial: Uint8Array;
  /** PEM: PCK leaf, Platform CA, root. */
  readonly pckChain: string;
}

/** Intel's PCK certificates are valid for seven years: their dates have the form of those before 2050. */
export const PCK_SECONDS = 7 * 365 * 86_400;

export interface PlatformOptions {
  /** Which machine: equal names under one PKI are the same machine. */
  readonly name: string;
  /** A machine whose microcode lags behind: the vendor's TCB info calls it OutOfDate. */
  readonly outOfDate?: boolean;
}

/** The machine of that name: all of it follows from the PKI and the name, signatures aside. */
export function simulatedPlatform(
  pki: TestPki,
  { name, outOfDate = false }: PlatformOptions,
): SimulatedPlatform {
  const ppid = labelled(`${pki.file.secret}/ppid/${name}`, 16);
  const tcb = outOfDate ? OLD_TCB : CURRENT_TCB;
  const pckKey = deriveKey(pki.secret, `pck/${name}`);
  const pckSerial = serialOf(pki.secret, `pck/${name}`);
  const certificate = issueCertificate({
    issuer: pki.platformCa,
    subject: "Intel SGX PCK Certificate",
    key: pckKey,
    serial: pckSerial,
    notBefore: pki.file.notBefore,
    notAfter: Math.min(pki.file.notAfter, pki.file.notBefore + PCK_SECONDS),
    extensions: [
      [
        SGX_EXTENSIONS,
        sgxExtensions({
          ppid,
          cpuSvn: tcb.sgxSvns,
          pceSvn: tcb.pceSvn,
          pceId: Buffer.alloc(2),
          fmspc: Buffer.from(SIMULATED_FMSPC, "hex"),
          platformInstanceId: labelled(`${pki.file.secret}/instance/${name}`, 16),
        }),
      ],
    ],
  });
  return {
    name,
    ppid,
    platformId: toHex(createHash("sha256").update(ppid).digest()) as PlatformId,
    fmspc: SIMULATED_FMSPC,
    tcb,
    pckKey,
    attestationKey: deriveKey(pki.secret, `attestation/${name}`),
    pckSerial,
    pckChain: toPem(certificate) + pki.pckIssuerChain,
  };
}
