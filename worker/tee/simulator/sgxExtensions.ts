import * as der from "./der.ts";

/** Intel's arc for SGX in PCK certificates (Intel SGX PCK Certificate and CRL Profile Specification §1.3.5). */
export const SGX_EXTENSIONS = "1.2.840.113741.1.13.1";

export interface PckFacts {
  /** 16 bytes. */
  readonly ppid: Uint8Array;
  /** 16 bytes: the CPU SVN, which is also the 16 component SVNs. */
  readonly cpuSvn: Uint8Array;
  readonly pceSvn: number;
  /** 2 bytes. */
  readonly pceId: Uint8Array;
  /** 6 bytes. */
  readonly fmspc: Uint8Array;
  /** 16 bytes. */
  readonly platformInstanceId: Uint8Array;
}

/** Value of the SGX extension of a PCK certificate that the Platform CA issues. */
export function sgxExtensions({ ppid, cpuSvn, pceSvn, pceId, fmspc, platformInstanceId }: PckFacts): Buffer {
  const entry = (id: string, value: Uint8Array): der.Der =>
    der.sequence(der.objectId(`${SGX_EXTENSIONS}.${id}`), value);
  const components = [...cpuSvn].map((svn, i) => entry(`2.${i + 1}`, der.integer(svn)));
  return der.sequence(
    entry("1", der.octets(ppid)),
    entry(
      "2",
      der.sequence(...components, entry("2.17", der.integer(pceSvn)), entry("2.18", der.octets(cpuSvn))),
    ),
    entry("3", der.octets(pceId)),
    entry("4", der.octets(fmspc)),
    // SGX type 1: scalable. A multi-package platform has this and the two entries below.
    entry("5", der.enumerated(1)),
    entry("6", der.octets(platformInstanceId)),
    // Configuration: dynamic platform, cached keys, SMT enabled; all true, as on the platforms that run dstack.
    entry("7", der.sequence(entry("7.1", der.yes()), entry("7.2", der.yes()), entry("7.3", der.yes()))),
  );
}
