import type { Command } from "commander";

import { REMOVED, secretChangeTypedData } from "../../protocol/keys/secretChange.ts";
import { encodeSecret, MAX_SECRET_BYTES, sealSecret } from "../../protocol/keys/secretEnvelope.ts";
import type { Address } from "../../protocol/words/hex.ts";
import { appKey } from "../support/appKey.ts";
import { CliError } from "../support/CliError.ts";
import { contextOf, readBytes, type Context } from "../support/context.ts";
import { ExitCode } from "../support/exitCodes.ts";
import { timeText } from "../support/output.ts";
import { sha256 } from "../support/publish.ts";
import { relayerSecrets, sendSecret } from "../support/relayerSecrets.ts";
import { addressOption, counterOption } from "../support/values.ts";

interface CounterOptions {
  readonly acceptCounter?: number;
}

interface ValueOptions extends CounterOptions {
  readonly valueFile?: string;
}

/** No clock should be further ahead than this of the one here. */
const MOST_AHEAD_MS = 86_400_000;

const COUNTER = [
  "--accept-counter <n>",
  "the version that the relayer tells, where it is far ahead of this clock and yours all the same",
  counterOption,
] as const;

/** `charter secret set|rotate|list|remove`. A value is read from a file or standard input, never from an argument. */
export function addSecretCommands(program: Command): void {
  const secret = program.command("secret").description("values that only live instances of an app can read");
  for (const [verb, description] of [
    ["set", "seal a value to the app's key"],
    ["rotate", "give a secret that is set another value"],
  ] as const) {
    secret
      .command(verb)
      .description(`${description}; the key that signs must be one of the manifest's secret_signers`)
      .argument("<app>", "app", addressOption)
      .argument("<name>", "name of the secret")
      .option("--value-file <file>", "its bytes, as they are (default: standard input)")
      .option(...COUNTER)
      .action((app: Address, name: string, options: ValueOptions, command: Command) =>
        set(contextOf(command), { app, name, verb }, options),
      );
  }
  secret
    .command("list")
    .description("names, versions and times of an app's secrets")
    .argument("<app>", "app", addressOption)
    .action((app: Address, _options: unknown, command: Command) => list(contextOf(command), app));
  secret
    .command("remove")
    .description("take a secret away: running instances lose it within seconds, later ones wait for it")
    .argument("<app>", "app", addressOption)
    .argument("<name>", "name of the secret")
    .option(...COUNTER)
    .action((app: Address, name: string, options: CounterOptions, command: Command) =>
      remove(contextOf(command), app, name, options),
    );
}

async function set(
  context: Context,
  { app, name, verb }: { readonly app: Address; readonly name: string; readonly verb: "set" | "rotate" },
  { valueFile, ...options }: ValueOptions,
): Promise<void> {
  const known = await listed(context, app, name, options);
  if (verb === "rotate" && known.removed) throw notSet(name);
  const value = valueFile === undefined ? await readStandardInput() : readBytes(valueFile);
  const { publicKey, instances } = await appKey(context, app);
  const { chainId } = context.deployment();
  const label = { chainId, app, name, counter: known.next };
  const envelope = Buffer.from(encodeSecret(await sealSecret(publicKey, label, value))).toString("utf8");
  await change(context, { app, name, counter: known.next, envelope });
  context.out.result(
    { app, name, counter: known.next, instances },
    `${name} is sealed to the key that ${instances.length} live instance(s) of ${app} tell`,
  );
}

async function remove(context: Context, app: Address, name: string, options: CounterOptions): Promise<void> {
  const known = await listed(context, app, name, options);
  if (known.removed) throw notSet(name);
  await change(context, { app, name, counter: known.next, envelope: null });
  context.out.result({ app, name, counter: known.next }, `${name} is taken away`);
}

async function list(context: Context, app: Address): Promise<void> {
  const secrets = await relayerSecrets(context, app);
  const lines = secrets.map(({ name, counter, setAt, removed }) =>
    removed ? `${name}  removed ${timeText(setAt)}` : `${name}  version ${counter}, ${timeText(setAt)}`,
  );
  context.out.result({ secrets }, lines.join("\n") || "no secret is set");
}

async function change(
  context: Context,
  of: {
    readonly app: Address;
    readonly name: string;
    readonly counter: number;
    readonly envelope: string | null;
  },
): Promise<void> {
  const { chainId, attestationLedger: ledger } = context.deployment();
  const { wallet, account } = await context.wallet();
  const { app, name, counter, envelope } = of;
  const digest = envelope === null ? REMOVED : sha256(Buffer.from(envelope, "utf8"));
  const data = secretChangeTypedData({ chainId, ledger, app, name, counter, digest });
  const signature = await wallet.signTypedData({ account, ...data });
  await sendSecret(context, { app, name, counter, digest, envelope, signature });
}

/**
 * Whether it is set, and its next counter: by the clock, so that a relayer that forgot does not make an older value look
 * newer to a guest that knows better. One that tells a counter far ahead is not believed: whoever signed on top of the highest
 * there is could never change this secret again.
 * @throws CliError `secret/counter-ahead`.
 */
async function listed(
  context: Context,
  app: Address,
  name: string,
  { acceptCounter }: CounterOptions,
): Promise<{ readonly removed: boolean; readonly next: number }> {
  const known = (await relayerSecrets(context, app)).find((one) => one.name === name);
  const latest = Date.now() + MOST_AHEAD_MS;
  if (known !== undefined && known.counter > latest && known.counter !== acceptCounter) {
    throw new CliError(
      ExitCode.Refused,
      "secret/counter-ahead",
      "the relayer tells a version of this secret that is of the future (--accept-counter, where it is yours)",
      { name, expected: latest, actual: known.counter },
    );
  }
  return { removed: known?.removed ?? true, next: Math.max(Date.now(), (known?.counter ?? -1) + 1) };
}

const notSet = (name: string): CliError =>
  new CliError(ExitCode.Refused, "secret/not-set", "this secret is not set", { name });

/** All of standard input, a last newline left out: nobody means it. */
async function readStandardInput(): Promise<Uint8Array> {
  if (process.stdin.isTTY) {
    throw new CliError(ExitCode.Usage, "cli/usage", "expected the value on standard input, or --value-file");
  }
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    length += chunk.length;
    chunks.push(chunk);
    if (length > MAX_SECRET_BYTES + 2) break; // It is refused for its size.
  }
  const bytes = Buffer.concat(chunks);
  return bytes.at(-1) === 0x0a ? bytes.subarray(0, -1) : bytes;
}
