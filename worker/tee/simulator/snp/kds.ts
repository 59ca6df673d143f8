import Fastify, { type FastifyInstance, type FastifyReply } from "fastify";

import type { SnpTcb } from "../../../../protocol/evidence/snp/snpTcb.ts";
import { issueCrl, toPem } from "../certificate.ts";
import type { AmdPki } from "./amdPki.ts";
import { snpPlatform } from "./snpPlatform.ts";

export interface KdsOptions {
  /** One per product. */
  readonly pkis: readonly AmdPki[];
  /** Names of the machines whose keys the vendor certifies. */
  readonly machines: readonly string[];
  /** Unix seconds. */
  readonly now: () => number;
  /** How long a revocation list holds; default 30 days. */
  readonly validitySeconds?: number;
  /** Serials that the next revocation list names: asked for whenever one is issued. */
  readonly revoked?: () => readonly Uint8Array[];
}

/** A service and the means to make it issue anew before its time. */
export interface Kds {
  readonly server: FastifyInstance;
  readonly reissue: () => void;
}

const THIRTY_DAYS = 30 * 86_400;
const LEVELS = ["fmcSPL", "blSPL", "teeSPL", "snpSPL", "ucodeSPL"] as const;
type Levels = Readonly<Partial<Record<(typeof LEVELS)[number], string | string[]>>>;

/**
 * The simulated vendor's certificates under the URLs of AMD's key distribution service, in its formats: DER of leaf and
 * revocation list, PEM of the CAs with the ARK last (VCEK Certificate and KDS Interface 57230, chapter 4). Levels that a
 * query leaves out are zero, as there. A list is signed again at half of its life, so that no expired one is ever served.
 */
export function createKds({ pkis, machines, now, validitySeconds, revoked }: KdsOptions): Kds {
  // A chip id is 128 characters of the path.
  const server = Fastify({ logger: false, bodyLimit: 1024, routerOptions: { maxParamLength: 128 } });
  const life = validitySeconds ?? THIRTY_DAYS;
  const lists = new Map<AmdPki, { readonly at: number; readonly crl: Buffer }>();
  const leaves = new Map<string, Uint8Array>();

  const currentCrl = (pki: AmdPki): Buffer => {
    const at = now();
    const held = lists.get(pki);
    if (held && at >= held.at && at < held.at + life / 2) return held.crl;
    const crl = issueCrl({
      issuer: pki.ark,
      number: at,
      thisUpdate: at,
      nextUpdate: at + life,
      revokedSerials: revoked?.() ?? [],
    });
    lists.set(pki, { at, crl });
    return crl;
  };
  /** A certificate is issued once: its signature is random, and AMD's never changes either. */
  const leafOf = (pki: AmdPki, name: string, tcb: SnpTcb): Uint8Array => {
    const key = JSON.stringify([pki.product, name, tcb]);
    const leaf = leaves.get(key) ?? snpPlatform(pki, { name, tcb }).certificates.leaf;
    leaves.set(key, leaf);
    return leaf;
  };
  const names = new Map(pkis.flatMap((pki) => machines.map((name) => [hwidOf(pki, name), name] as const)));
  const pkiOf = (product: string): AmdPki | undefined => pkis.find((pki) => pki.product === product);

  for (const kind of ["vcek", "vlek"] as const) {
    server.get<{ Params: { product: string } }>(`/${kind}/v1/:product/cert_chain`, ({ params }, reply) => {
      const pki = pkiOf(params.product);
      if (!pki) return reply.code(404).send();
      const { ask, asvk, ark } = pki.certificates;
      return reply.type("application/x-pem-file").send(toPem(kind === "vcek" ? ask : asvk) + toPem(ark));
    });
    server.get<{ Params: { product: string } }>(`/${kind}/v1/:product/crl`, ({ params }, reply) => {
      const pki = pkiOf(params.product);
      return pki ? der(reply, currentCrl(pki)) : reply.code(404).send();
    });
  }

  server.get<{ Params: { product: string; hwid: string }; Querystring: Levels }>(
    "/vcek/v1/:product/:hwid",
    ({ params, query }, reply) => {
      const pki = pkiOf(params.product);
      if (!pki) return reply.code(404).send();
      const isTurin = pki.product === "Turin";
      const tcb = tcbOf(query, isTurin);
      if (tcb === null || !(isTurin ? /^[0-9a-fA-F]{16}$/ : /^[0-9a-fA-F]{128}$/).test(params.hwid)) {
        return reply.code(400).send();
      }
      const name = names.get(`${pki.product}/${params.hwid.toLowerCase()}`);
      return name === undefined ? reply.code(404).send() : der(reply, leafOf(pki, name, tcb));
    },
  );

  return { server, reissue: () => lists.clear() };
}

const der = (reply: FastifyReply, bytes: Uint8Array): FastifyReply =>
  reply.type("application/octet-stream").send(Buffer.from(bytes));

const hwidOf = (pki: AmdPki, name: string): string => {
  const chipId = Buffer.from(snpPlatform(pki, { name }).chipId);
  return `${pki.product}/${chipId.toString("hex", 0, pki.product === "Turin" ? 8 : 64)}`;
};

/** Null for a level that is no byte, one that is unknown, or one that the product does not have. */
function tcbOf(query: Levels, isTurin: boolean): SnpTcb | null {
  const names: readonly string[] = isTurin ? LEVELS : LEVELS.slice(1);
  if (Object.keys(query).some((name) => !names.includes(name))) return null;
  const levels = LEVELS.map((name) => query[name] ?? "0");
  if (levels.some((level) => !/^\d{1,3}$/.test(level.toString()) || Number(level) > 255)) return null;
  const [fmc, bootloader, tee, snp, microcode] = levels.map(Number) as unknown as FiveLevels;
  return { fmc, bootloader, tee, snp, microcode };
}

type FiveLevels = readonly [fmc: number, bl: number, tee: number, snp: number, ucode: number];
