import { runProgram } from "../../../cli/program.ts";
import type { Run } from "./runCharter.ts";

type Write = typeof process.stdout.write;
const writeOf = (stream: object): Write => Reflect.get(stream, "write") as Write;

let last: Promise<unknown> = Promise.resolve();

/**
 * Runs `charter` in this process, which spares the start of another one: what suites take that run it often. One at a time,
 * because a command prints to the process's streams and reads its environment; of the latter it sees `environment` and PATH, and
 * nothing else.
 */
export function runInProcess(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Run> {
  const run = last.then(() => captured(args, environment));
  last = run.catch(() => undefined);
  return run;
}

async function captured(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<Run> {
  const { env, exitCode } = process;
  const { stdout, stderr } = process;
  const log = console.error;
  const [out, err] = [writeOf(stdout), writeOf(stderr)];
  const said = { stdout: "", stderr: "" };
  const into = (name: keyof typeof said) => (chunk: string | Uint8Array) => {
    said[name] += typeof chunk === "string" ? chunk : Buffer.from(chunk).toString("utf8");
    return true;
  };
  process.env = { PATH: env.PATH ?? "", ...environment };
  process.exitCode = 0;
  stdout.write = into("stdout");
  stderr.write = into("stderr");
  console.error = (text: unknown) => void (said.stderr += `${String(text)}\n`);
  let failed: number;
  let found: number;
  try {
    failed = await runProgram(args);
    found = Number(process.exitCode);
  } finally {
    process.env = env;
    process.exitCode = exitCode;
    stdout.write = out;
    stderr.write = err;
    console.error = log;
  }
  return {
    exitCode: failed === 0 ? found : failed,
    ...said,
    result: <T>() => JSON.parse(said.stdout) as T,
    error: () => (JSON.parse(said.stderr) as { error: ReturnType<Run["error"]> }).error,
  };
}
