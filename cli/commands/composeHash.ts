import type { Command } from "commander";

import { cidOfDigest, parseManifest } from "../../protocol/manifest/index.ts";
import { contextOf, readBytes } from "../support/context.ts";
import { sha256 } from "../support/publish.ts";

/** `charter compose-hash <file>`: offline. */
export function addComposeHashCommand(program: Command): void {
  program
    .command("compose-hash")
    .description("compose hash and CID of a manifest's raw bytes")
    .argument("<file>", "app-compose.json")
    .option("--raw", "hash the bytes even if they are no manifest of ours")
    .action((file: string, options: { raw?: boolean }, command: Command) => {
      const bytes = readBytes(file);
      if (!options.raw) parseManifest(bytes);
      const composeHash = sha256(bytes);
      contextOf(command).out.result(
        { composeHash, cid: cidOfDigest(composeHash), bytes: bytes.length },
        `${composeHash}\n${cidOfDigest(composeHash)}`,
      );
    });
}
