import { readFileSync } from "node:fs";

import { parseGwei } from "viem";
import type { PrivateKeyAccount } from "viem/accounts";
import { z } from "zod";

import { parseDeployment } from "../protocol/deployment/deployment.ts";
import type { Deployment } from "../protocol/deployment/deployment.ts";
import { CharterError, isCharterError } from "../protocol/errors/CharterError.ts";
import { DEVELOPMENT_CHAIN_IDS } from "../protocol/policy/judge.ts";
import type { Hex } from "../protocol/words/hex.ts";
import { defaultQuorum } from "./chain/client.ts";
import type { Finality } from "./chain/finality.ts";
import { parseCrashPlan } from "./crashPoints.ts";
import type { CrashPlan } from "./crashPoints.ts";
import { localAccount } from "./keys/localAccount.ts";
import type { FeeCaps } from "./outbox/fees.ts";
import type { Settlement } from "./store/chainStore.ts";

/** Intel's provisioning certification service. */
export { INTEL_PCS_URL } from "../protocol/evidence/dcap/pcsAnswers.ts";

/** AMD's key distribution service. */
export const AMD_KDS_URL = "https://kdsintf.amd.com";

/** The shapes that several programs' variables share. Each message says what was expected. */
export const variables = {
  urls: z
    .string({ error: "expected a comma-separated list of http(s) URLs" })
    .transform((text) => text.split(",").map((url) => url.trim()))
    .pipe(
      z.array(z.url({ protocol: /^https?$/, error: "expected http(s) URLs, separated by commas" })).min(1),
    ),
  /** RPC endpoints: a WebSocket tells of heads too. */
  rpcUrls: z
    .string({ error: "expected a comma-separated list of http(s) or ws(s) URLs" })
    .transform((text) => text.split(",").map((url) => url.trim()))
    .pipe(
      z
        .array(
          z.url({
            protocol: /^(https?|wss?)$/,
            error: "expected http(s) or ws(s) URLs, separated by commas",
          }),
        )
        .min(1)
        // One that is named twice would be a majority by itself.
        .refine(
          (urls) => new Set(urls.map((url) => URL.parse(url)?.href ?? url)).size === urls.length,
          "expected each endpoint once",
        ),
    ),
  url: z.url({ protocol: /^https?$/, error: "expected an http(s) URL" }),
  postgresUrl: z.url({ protocol: /^postgres(ql)?$/, error: "expected a postgres:// URL" }),
  /** 32 bytes of hex; becomes an account, so that the key itself stands in no configuration object. */
  key: z
    .string({ error: "expected a private key: 0x and 64 hex digits" })
    .regex(/^0x[0-9a-fA-F]{64}$/, "expected a private key: 0x and 64 hex digits")
    .transform((key, context): PrivateKeyAccount => {
      try {
        return localAccount(key as Hex);
      } catch {
        context.addIssue({ code: "custom", message: "expected a private key on secp256k1" });
        return z.NEVER;
      }
    }),
  finality: z
    .string()
    .regex(/^(finalized|safe|\d{1,5})$/, 'expected "finalized", "safe" or a number of confirmations')
    .transform((text): Finality => (text === "finalized" || text === "safe" ? text : Number(text))),
  port: z
    .string()
    .regex(/^\d{1,5}$/, "expected a port, 0 to 65535")
    .transform(Number)
    .pipe(z.number().max(65_535, "expected a port, 0 to 65535")),
  host: z.string().min(1, "expected a host name or address"),
  seconds: z
    .string()
    .regex(/^[1-9]\d{0,5}$/, "expected a positive number of seconds")
    .transform(Number),
  count: z
    .string()
    .regex(/^[1-9]\d{0,6}$/, "expected a positive number")
    .transform(Number),
  /** Becomes wei. */
  gwei: z
    .string()
    .regex(/^\d{1,6}(\.\d{1,9})?$/, "expected a number of gwei above 0, at most 9 digits behind the point")
    .transform((text) => parseGwei(text))
    .refine((wei) => wei > 0n, "expected a number of gwei above 0"),
  /** 0: for good. */
  days: z
    .string()
    .regex(/^(0|[1-9]\d{0,3})$/, "expected a number of days, at most 9999; 0 for all of them")
    .transform(Number),
  logLevel: z.enum(["trace", "debug", "info", "warn", "error", "silent"], {
    error: "expected trace, debug, info, warn, error or silent",
  }),
  /** Names the final block that was taken back, so that a variable left behind settles nothing else. */
  settlement: z
    .string()
    .regex(/^(acknowledge|rebuild):0x[0-9a-f]{64}$/, "expected acknowledge: or rebuild: and a block's hash")
    .transform((text): Settlement => {
      const [how, hash] = text.split(":") as [Settlement["how"], Settlement["hash"]];
      return { how, hash };
    }),
  crashPlan: z.string().transform((text, context): CrashPlan => {
    const plan = parseCrashPlan(text);
    if (plan !== null) return plan;
    context.addIssue({ code: "custom", message: "expected a crash point and its passage, as outbox.sent:1" });
    return z.NEVER;
  }),
  /** A path whose content is a deployment's address book. */
  deployment: z
    .string({ error: "expected the path of an address book (deployments/<chainId>.json)" })
    .transform((path, context): Deployment => {
      try {
        return parseDeployment(readFileSync(path, "utf8"));
      } catch (error) {
        const why = isCharterError(error) ? error.message : "the file cannot be read";
        context.addIssue({ code: "custom", message: `expected the path of an address book: ${why}` });
        return z.NEVER;
      }
    }),
  /** A path whose content is one PEM certificate. */
  pemFile: z.string().transform((path, context): string => {
    try {
      const pem = readFileSync(path, "utf8");
      if (/^\s*-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\s*$/.test(pem)) return pem;
    } catch {
      // Said below: a file that cannot be read is no certificate either.
    }
    context.addIssue({ code: "custom", message: "expected the path of one PEM certificate" });
    return z.NEVER;
  }),
} as const;

/**
 * Reads one program's environment. Empty variables count as absent.
 * @throws CharterError `config/invalid` naming every wrong variable and what was expected of it, all at once. Values
 * are not repeated: one of them may be a key.
 */
export function readEnvironment<Schema extends z.ZodType>(
  schema: Schema,
  environment: Readonly<Record<string, string | undefined>>,
): z.output<Schema> {
  const present = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ""),
  );
  const parsed = schema.safeParse(present);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => ({
    variable: String(issue.path[0] ?? ""),
    expected: issue.message.replace(/^expected /, ""),
  }));
  const sentence = problems.map(({ variable, expected }) => `${variable}: expected ${expected}`).join("; ");
  throw new CharterError("config/invalid", sentence, { problems });
}

/**
 * Refuses a test root anywhere but on a development chain id. The genesis hash that the address book pins is compared
 * with the node's when the chain is connected, before the root is used: an RPC's word for the chain id is not enough.
 * @throws CharterError `config/test-root-refused`.
 */
export function requireTestRootAllowed(testRootPem: string | undefined, deployment: Deployment): void {
  if (testRootPem === undefined || DEVELOPMENT_CHAIN_IDS.includes(deployment.chainId)) return;
  throw new CharterError("config/test-root-refused", "a test root is for development chains only", {
    expected: DEVELOPMENT_CHAIN_IDS,
    actual: deployment.chainId,
  });
}

/**
 * What is offered at most: per unit of gas, and of it to whoever builds the block; as much as the whole where that is not set.
 * @throws CharterError `config/invalid` for a priority fee above the whole, which no transaction can have.
 */
export function requireFeeCaps(maxFeePerGasWei: bigint, maxPriorityFeePerGasWei = maxFeePerGasWei): FeeCaps {
  if (maxPriorityFeePerGasWei <= maxFeePerGasWei) return { maxFeePerGasWei, maxPriorityFeePerGasWei };
  throw new CharterError(
    "config/invalid",
    "CHARTER_MAX_PRIORITY_FEE_GWEI: expected at most CHARTER_MAX_FEE_GWEI",
    { expectedWei: maxFeePerGasWei, actualWei: maxPriorityFeePerGasWei },
  );
}

/** @throws CharterError `config/invalid` when so many endpoints cannot agree, because there are fewer. */
export function requireQuorum(rpcUrls: readonly string[], quorum = defaultQuorum(rpcUrls.length)): number {
  if (quorum <= rpcUrls.length) return quorum;
  throw new CharterError("config/invalid", "CHARTER_RPC_QUORUM: expected at most the number of endpoints", {
    expected: rpcUrls.length,
    actual: quorum,
  });
}
