/** `node scripts/formal/solve.ts <query.smt2>`: what Z3 (WebAssembly) answers to one query, on standard output. */
import { readFileSync } from "node:fs";

import { init } from "z3-solver";

/** As solc gives them to a Z3 of its own; the resource limit, unlike a time, is the same on every machine. */
const PARAMETERS = {
  rlimit: "20000000",
  "rewriter.pull_cheap_ite": "true",
  "fp.spacer.q3.use_qgen": "true",
  "fp.spacer.mbqi": "false",
  "fp.spacer.ground_pobs": "false",
} as const;

const query = readFileSync(process.argv[2] ?? "", "utf8");
const { Z3 } = await init();
for (const [name, value] of Object.entries(PARAMETERS)) Z3.global_param_set(name, value);
const answer = await Z3.eval_smtlib2_string(Z3.mk_context(Z3.mk_config()), query);
// Z3's threads would keep the process.
process.stdout.write(answer, () => process.exit(0));
