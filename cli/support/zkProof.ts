import { decodeAbiParameters, encodeAbiParameters, type Hex } from "viem";
import { z } from "zod";

import { verdictTypes } from "../../protocol/session/domains.ts";
import { addressSchema, bytes32Schema } from "../../protocol/session/messages.ts";
import type { VerdictStruct } from "../../protocol/session/verdict.ts";
import { parseHex, type Address, type Bytes32 } from "../../protocol/words/hex.ts";
import { CliError } from "./CliError.ts";
import type { Context } from "./context.ts";
import { deployed } from "./deployed.ts";
import { ExitCode } from "./exitCodes.ts";
import { readJson } from "./jsonFile.ts";

/** Words of abi.encode(ZkJournal): 17 of the verdict, 3, 4 documents (contracts/attestation/zk/ZkVerifier.sol). */
const JOURNAL_BYTES = 24 * 32;

const bytes = z.string().transform((text, problem) => {
  try {
    return parseHex(text);
  } catch {
    problem.addIssue({ code: "custom", message: "expected 0x and hex of whole bytes" });
    return z.NEVER;
  }
});
const fileSchema = z.strictObject({
  adapter: z.union([z.enum(["sp1", "riscZero"]), addressSchema]),
  program: bytes32Schema,
  journal: bytes.refine((text) => text.length === 2 + 2 * JOURNAL_BYTES, `expected ${JOURNAL_BYTES} bytes`),
  seal: bytes,
});

/** A zero-knowledge proof as ZkVerifier takes it, and the verdict that it carries. */
export interface ZkProof {
  readonly adapter: Address;
  readonly program: Bytes32;
  readonly verdict: VerdictStruct;
  /** Seconds: the time that the program judged by. */
  readonly provenAt: number;
  readonly proof: Hex;
}

const ADAPTERS = { sp1: "sp1Adapter", riscZero: "riscZeroAdapter" } as const;

/** Address of an adapter by its maker's name, or as given. @throws CliError `cli/not-deployed`. */
export const adapterOf = (context: Context, named: Address | keyof typeof ADAPTERS): Address =>
  named === "sp1" || named === "riscZero" ? deployed(context, ADAPTERS[named]) : named;

/** What a prover hands out: `{adapter, program, journal, seal}` as JSON. @throws CliError `proof/malformed`. */
export function readZkProof(context: Context, path: string): ZkProof {
  const parsed = fileSchema.safeParse(readJson(path));
  if (!parsed.success) {
    throw new CliError(ExitCode.Usage, "proof/malformed", "expected {adapter, program, journal, seal}", {
      path,
      issues: parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`),
    });
  }
  const { program, journal, seal } = parsed.data;
  const adapter = adapterOf(context, parsed.data.adapter);
  const [verdict, provenAt] = decodeAbiParameters(
    [{ type: "tuple", components: verdictTypes.Verdict }, { type: "uint40" }],
    journal,
  );
  return {
    adapter,
    program,
    verdict: verdict as unknown as VerdictStruct,
    provenAt,
    proof: encodeAbiParameters(
      [{ type: "address" }, { type: "bytes32" }, { type: "bytes" }, { type: "bytes" }],
      [adapter, program, journal, seal],
    ),
  };
}
