import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

import type { Suite } from "./suites.ts";

/** What a suite did. Counts are the runner's own closing lines; a suite without tests counts its commands. */
export interface SuiteResult {
  readonly name: string;
  readonly ok: boolean;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: readonly string[];
  readonly minutes: number;
}

/**
 * Runs a suite, shows each line as it comes behind the suite's name (two may run side by side), and reads the counts off
 * Mocha's and Hardhat's closing lines.
 */
export async function runSuite(suite: Suite): Promise<SuiteResult> {
  const startedAt = performance.now();
  let ok = true;
  let output = "";
  let commandsRun = 0;
  for (const command of suite.commands) {
    const asked = suite.yields === true ? ["nice", "-n", "19", ...command] : command;
    const { code, text } = await runCommand(suite.name, asked);
    output += text;
    commandsRun++;
    if (code !== 0) {
      ok = false;
      break;
    }
  }
  const passing = sumOf(output, /^\s*(\d+) passing/gm);
  const failing = sumOf(output, /^\s*(\d+) failing/gm);
  const isTests = suite.commands.some(([program, task]) => program === "mocha" || task === "test");
  if (isTests && passing === 0) ok = false; // a suite that finds no test proves nothing
  return {
    name: suite.name,
    ok,
    passed: isTests ? passing : commandsRun - (ok ? 0 : 1),
    failed: ok ? failing : Math.max(failing, 1),
    skipped: skippedIn(output),
    minutes: (performance.now() - startedAt) / 60_000,
  };
}

function runCommand(suite: string, command: readonly string[]): Promise<{ code: number; text: string }> {
  const [program, ...args] = command;
  const child = spawn(program as string, args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, FORCE_COLOR: "0", NO_COLOR: "1" },
  });
  const lines: string[] = [];
  const ended = [child.stdout, child.stderr].map(async (stream) => {
    for await (const line of createInterface({ input: stream, crlfDelay: Infinity })) {
      lines.push(line);
      console.log(`${suite.padEnd(10)} │ ${line}`);
    }
  });
  const whole = async (code: number) => {
    await Promise.all(ended);
    return { code, text: lines.join("\n") };
  };
  return new Promise((resolve) => {
    child.on("error", (error) => {
      console.error(`${program}: ${error.message}`);
      resolve(whole(127));
    });
    child.on("close", (code) => resolve(whole(code ?? 1)));
  });
}

function sumOf(text: string, pattern: RegExp): number {
  return [...text.matchAll(pattern)].reduce((sum, match) => sum + Number(match[1]), 0);
}

/** Lines `skipped: <what>: <why>` that tests print, and Mocha's pending titles where a test gave no reason. */
function skippedIn(text: string): string[] {
  const stated = [...text.matchAll(/^\s*skipped: (.+)$/gm)].map((match) => match[1] as string);
  const pending = sumOf(text, /^\s*(\d+) pending/gm);
  const titles = [...text.matchAll(/^\s+- (.+)$/gm)].map((match) => match[1] as string);
  return pending > 0 && stated.length === 0 ? titles.slice(0, pending) : stated;
}
