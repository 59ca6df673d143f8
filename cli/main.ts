import { runProgram } from "./program.ts";

// A reader such as `head` may close the pipe early: that is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));

const exitCode = await runProgram(process.argv.slice(2));
if (exitCode !== 0) process.exitCode = exitCode;
