import type { Command } from "commander";

import { secretOption, tlsOption } from "./manifest.ts";
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
    )
    .option(
      "--gpu-service <name>",
      "a service that is given the GPUs; guests without GPU evidence refuse the app (repeatable)",
      repeat((name: string) => name),
    )
    .option(
      "--tls <service:port>",
      "the service, and its port in the container, that clients reach by attested TLS",
      tlsOption,
    );
