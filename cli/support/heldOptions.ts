import type { Command } from "commander";

import { secretOption } from "./manifest.ts";
import { addressOption, repeat } from "./values.ts";

/** What a manifest made from --compose asks for beside containers. */
export const addHeldOptions = (command: Command): Command =>
  command
    .option(
      "--persistent",
      "keep named volumes, encrypted under the app's key, in a manifest made from --compose",
    )
    .option("--secret-signer <address>", "who may set secrets (repeatable)", repeat(addressOption))
    .option(
      "--secret <name[=service,…]>",
      "a secret, and the services that can read it as /run/secrets/<name> (repeatable)",
      repeat(secretOption),
    );
