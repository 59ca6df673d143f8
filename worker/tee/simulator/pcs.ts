import Fastify, { type FastifyInstance } from "fastify";

import {
  COLLATERAL_VALIDITY_SECONDS,
  issueCollateral,
  type IssuedCollateral,
  type Tee,
} from "./collateral.ts";
import { SIMULATED_FMSPC, type TestPki } from "./pki.ts";

export interface PcsOptions {
  readonly pki: TestPki;
  /** Unix seconds. */
  readonly now: () => number;
  readonly validitySeconds?: number;
  /** Serials that the next CRL lists: asked for whenever collateral is issued anew. */
  readonly revokedPcks?: () => readonly Uint8Array[];
  /** TCB recoveries so far: asked for in the same way. */
  readonly recoveries?: () => number;
}

/** A service and the means to make it issue anew before its time (tests, a simulated recovery). */
export interface Pcs {
  readonly server: FastifyInstance;
  readonly reissue: () => void;
}

/**
 * The simulated vendor's collateral under the URLs, headers and bodies of Intel's Provisioning Certification Service,
 * version 4 (https://api.portal.trustedservices.intel.com/content/documentation.html). Collateral is signed again at
 * half of its life, so that nothing expired is ever served.
 */
export function createPcs({ pki, now, validitySeconds, revokedPcks, recoveries }: PcsOptions): Pcs {
  const server = Fastify({ logger: false, bodyLimit: 1024 });
  const life = validitySeconds ?? COLLATERAL_VALIDITY_SECONDS;
  let issued: { readonly at: number; readonly collateral: Record<Tee, IssuedCollateral> } | undefined;
  const current = (tee: Tee = "tdx"): IssuedCollateral => {
    const at = now();
    if (issued === undefined || at < issued.at || at >= issued.at + life / 2) {
      const given = {
        at,
        validitySeconds: life,
        revokedPcks: revokedPcks?.() ?? [],
        recoveries: recoveries?.() ?? 0,
      };
      const collateral = {
        tdx: issueCollateral(pki, { ...given, tee: "tdx" }),
        sgx: issueCollateral(pki, { ...given, tee: "sgx" }),
      };
      issued = { at, collateral };
    }
    return issued.collateral[tee];
  };

  server.get("/sgx/certification/v4/rootcacrl", (_request, reply) =>
    // Intel answers the DER in hex here.
    reply.type("text/plain; charset=utf-8").send(current().root_ca_crl),
  );

  server.get<{ Querystring: { ca?: string; encoding?: string } }>(
    "/sgx/certification/v4/pckcrl",
    ({ query }, reply) => {
      if (query.ca !== "platform" || query.encoding !== "der") return reply.code(400).send();
      const { pck_crl, pck_crl_issuer_chain } = current();
      return reply
        .header("SGX-PCK-CRL-Issuer-Chain", encodeURIComponent(pck_crl_issuer_chain))
        .type("application/pkix-crl")
        .send(Buffer.from(pck_crl, "hex"));
    },
  );

  for (const tee of ["tdx", "sgx"] as const) {
    server.get<{ Querystring: { fmspc?: string } }>(`/${tee}/certification/v4/tcb`, ({ query }, reply) => {
      if (!/^[0-9a-fA-F]{12}$/.test(query.fmspc ?? "")) return reply.code(400).send();
      if (query.fmspc?.toUpperCase() !== SIMULATED_FMSPC) return reply.code(404).send();
      const { tcb_info, tcb_info_signature, tcb_info_issuer_chain } = current(tee);
      return reply
        .header("TCB-Info-Issuer-Chain", encodeURIComponent(tcb_info_issuer_chain))
        .type("application/json")
        .send(`{"tcbInfo":${tcb_info},"signature":"${tcb_info_signature}"}`);
    });

    server.get(`/${tee}/certification/v4/qe/identity`, (_request, reply) => {
      const { qe_identity, qe_identity_signature, qe_identity_issuer_chain } = current(tee);
      return reply
        .header("SGX-Enclave-Identity-Issuer-Chain", encodeURIComponent(qe_identity_issuer_chain))
        .type("application/json")
        .send(`{"enclaveIdentity":${qe_identity},"signature":"${qe_identity_signature}"}`);
    });
  }

  return { server, reissue: () => (issued = undefined) };
}
