import type { Command } from "commander";

import { appAbi } from "../../protocol/abi/app.ts";
import { parseNote, type Recipe } from "../../protocol/note/note.ts";
import type { Address } from "../../protocol/words/hex.ts";
import { requireApp } from "../support/chainState.ts";
import { CliError } from "../support/CliError.ts";
import { contextOf } from "../support/context.ts";
import { ExitCode } from "../support/exitCodes.ts";
import { fileAt } from "../support/git.ts";
import { makeManifest } from "../support/manifest.ts";
import { fetchByDigest, sha256 } from "../support/publish.ts";
import { send } from "../support/send.ts";
import { addressOption, wholeNumber } from "../support/values.ts";

interface RebuildOptions {
  readonly repository?: string;
  readonly report?: boolean;
}

/** `charter rebuild`: does a release's source give its compose hash? */
export function addRebuildCommand(program: Command): void {
  program
    .command("rebuild")
    .description("fetch a release's source at its commit, make the manifest anew, and compare the hashes")
    .argument("<app>", "address", addressOption)
    .argument("<number>", "release", wholeNumber)
    .option("--repository <path or URL>", "the source, where the note's own place cannot be reached")
    .option("--report", "say on chain what came out, as a rebuilder of the app")
    .action(async (app: Address, number: number, options: RebuildOptions, command: Command) => {
      const context = contextOf(command);
      const { state } = await requireApp(context, app);
      const release = state.releases[number - 1];
      if (!release) {
        throw new CliError(ExitCode.Refused, "release/unknown", "the app has no release of this number", {
          number,
        });
      }
      const { source } = parseNote(await fetchByDigest(context, release.noteDigest));
      if (!source) {
        throw new CliError(
          ExitCode.Refused,
          "note/no-source",
          "the release's note names no source to build from",
        );
      }
      const built = sha256(
        await build(options.repository ?? source.repository, source.commit, source.recipe),
      );
      const matches = built === release.composeHash;
      const report = options.report
        ? await send(context, {
            address: app,
            abi: appAbi,
            functionName: "reportRebuild",
            args: [number, built],
          })
        : null;
      context.out.result(
        {
          app,
          release: number,
          expected: release.composeHash,
          built,
          matches,
          transaction: report?.hash ?? null,
        },
        [
          `source     ${source.repository} at ${source.commit}`,
          `expected   ${release.composeHash}`,
          `built      ${built}`,
          matches ? "the source gives this release" : "THE SOURCE GIVES SOMETHING ELSE",
          ...(report ? [`reported   ${report.hash}`] : []),
        ].join("\n"),
      );
      if (!matches) process.exitCode = ExitCode.NotVerified;
    });
}

async function build(repository: string, commit: string, recipe: Recipe): Promise<Uint8Array> {
  if ("manifest" in recipe) return fileAt(repository, commit, recipe.manifest);
  const compose = await fileAt(repository, commit, recipe.compose);
  return makeManifest(new TextDecoder("utf-8", { fatal: true }).decode(compose), recipe).bytes;
}
