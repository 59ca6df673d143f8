import { z } from "zod";

import { addressSchema } from "../../../../protocol/session/messages.ts";
import type { Address } from "../../../../protocol/words/hex.ts";
import { readEnvironment, variables } from "../../../environment.ts";
import { readListener } from "../listener.ts";
import type { Listener } from "../listener.ts";

/** What direct mode is told from outside: the variables of dstack's own webhook, so that one can stand for the other. */
export interface DirectConfig {
  readonly rpcUrl: string;
  /** A contract with dstack's KMS surface: dstack's own, or Charter's DstackKms. */
  readonly contract: Address;
  /** Absent: the chain id of the first answer is the one that every later answer must have. */
  readonly chainId: number | undefined;
  readonly confirmations: number;
  /** 0: a head of any age counts. */
  readonly maxHeadAgeSeconds: number;
  readonly listener: Listener;
  readonly port: number;
  readonly logLevel: string;
}

const natural = z
  .string()
  .regex(/^(0|[1-9]\d{0,8})$/, "expected a whole number, 0 or more")
  .transform(Number);

const schema = z.object({
  ETH_RPC_URL: variables.url,
  KMS_CONTRACT_ADDR: z
    .string({ error: "expected the address of a KMS contract" })
    .pipe(addressSchema)
    .refine((address) => !/^0x0+$/.test(address), "expected the address of a KMS contract"),
  ETH_CHAIN_ID: variables.count.optional(),
  ETH_FINALITY_CONFIRMATIONS: natural.default(0),
  ETH_MAX_HEAD_AGE_SECONDS: natural.default(300),
  HOST: variables.host.default("127.0.0.1"),
  PORT: variables.port.default(3_000),
  BOOTAUTH_TLS_CERT: z.string().optional(),
  BOOTAUTH_TLS_KEY: z.string().optional(),
  BOOTAUTH_TLS_CLIENT_CA: z.string().optional(),
  LOG_LEVEL: variables.logLevel.default("info"),
});

/**
 * Reads direct mode's environment.
 * @throws CharterError `config/invalid`, `config/bootauth-not-loopback`, `config/bootauth-tls`.
 */
export function readDirectConfig(environment: Readonly<Record<string, string | undefined>>): DirectConfig {
  const read = readEnvironment(schema, environment);
  return {
    rpcUrl: read.ETH_RPC_URL,
    contract: read.KMS_CONTRACT_ADDR,
    chainId: read.ETH_CHAIN_ID,
    confirmations: read.ETH_FINALITY_CONFIRMATIONS,
    maxHeadAgeSeconds: read.ETH_MAX_HEAD_AGE_SECONDS,
    listener: readListener({
      host: read.HOST,
      certificate: read.BOOTAUTH_TLS_CERT,
      key: read.BOOTAUTH_TLS_KEY,
      clientCa: read.BOOTAUTH_TLS_CLIENT_CA,
    }),
    port: read.PORT,
    logLevel: read.LOG_LEVEL,
  };
}
