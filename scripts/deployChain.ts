/**
 * `npm run deploy -- <parameters.json>`: deploys Charter to the chain at CHARTER_RPC_URL, paid by CHARTER_KEY, and writes
 * `deployments/<chainId>.json`. The deployer keeps no role. A run that broke off goes on where it stopped.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";

import { z } from "zod";

import { isCharterError } from "../protocol/errors/CharterError.ts";
import { addressSchema } from "../protocol/session/messages.ts";
import type { Hex } from "../protocol/words/hex.ts";
import { deployCharter } from "./deploy.ts";

const seconds = z.number().int().nonnegative();
const parametersSchema = z.strictObject({
  votesHolder: addressSchema,
  timelockDelaySeconds: seconds,
  votingDelaySeconds: seconds,
  votingPeriodSeconds: z.number().int().positive(),
  committeeMembers: z.array(addressSchema).min(1).max(32),
  committeeThreshold: z.number().int().positive(),
  committeeExpiresAt: z.number().int().positive(),
  committeeNoticeSeconds: seconds.default(2 * 86_400),
  sp1Gateway: addressSchema.optional(),
  riscZeroRouter: addressSchema.optional(),
  zkNoticeSeconds: seconds.optional(),
});

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { out: { type: "string" } },
});
const [file, ...extra] = positionals;
const { CHARTER_RPC_URL: rpcUrl, CHARTER_KEY: key } = process.env;
if (file === undefined || extra.length > 0 || rpcUrl === undefined) {
  refuse("expected `npm run deploy -- <parameters.json>` with CHARTER_RPC_URL and CHARTER_KEY set", 64);
}
if (key === undefined || !/^0x[0-9a-fA-F]{64}$/.test(key)) {
  refuse("CHARTER_KEY: expected a private key, 0x and 64 hex digits", 64);
}
const parameters = readParameters(file);
try {
  const deployment = await deployCharter({ rpcUrl, privateKey: key as Hex, parameters });
  const target = values.out ?? new URL(`../deployments/${deployment.chainId}.json`, import.meta.url);
  const text = `${JSON.stringify(deployment, null, 2)}\n`;
  if (existsSync(target) && readFileSync(target, "utf8") !== text) {
    console.log(text);
    refuse(
      `${String(target)} holds another deployment; it is left as it is, the new one is printed above`,
      1,
    );
  }
  writeFileSync(target, text);
  console.log(text);
} catch (error) {
  refuse(isCharterError(error) || error instanceof Error ? error.message : String(error), 1);
}

function readParameters(path: string): z.infer<typeof parametersSchema> {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, "utf8"));
  } catch {
    refuse(`${path}: expected a JSON file of parameters (deploy/parameters.example.json)`, 64);
  }
  const parsed = parametersSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
  refuse(`${path}: ${problems.join("; ")}`, 64);
}

function refuse(why: string, code: number): never {
  console.error(`deploy: ${why}`);
  process.exit(code);
}
