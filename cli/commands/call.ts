import { request } from "node:http";
import { isIP } from "node:net";

import type { Command } from "commander";

import { platformFamily } from "../../protocol/evidence/dcap/platformFamily.ts";
import {
  parseCollateral,
  quoteBytes,
  testRootFromPem,
  type Collateral,
} from "../../protocol/evidence/index.ts";
import { parseManifest } from "../../protocol/manifest/index.ts";
import { endpointsSchema } from "../../protocol/session/endpoints.ts";
import { toHex, type Address } from "../../protocol/words/hex.ts";
import { askAttestation, meet, type Where } from "../support/attested/meetInstance.ts";
import { verifyInstance, type CallCheck, type VerifiedInstance } from "../support/attested/verifyInstance.ts";
import { CliError } from "../support/CliError.ts";
import { fetchCollateral } from "../support/collateral/fetchCollateral.ts";
import { contextOf, readBytes, readText, type Context } from "../support/context.ts";
import { ExitCode } from "../support/exitCodes.ts";
import { readJson } from "../support/jsonFile.ts";
import { fetchByDigest, relayerFetch } from "../support/publish.ts";
import { addressOption } from "../support/values.ts";

interface CallOptions {
  readonly connect?: string;
  readonly serverName?: string;
  readonly collateral?: string;
  readonly pcsUrl: string;
  readonly root?: readonly string[];
  readonly method: string;
  readonly header?: readonly string[];
  readonly data?: string;
}

const INTEL_PCS_URL = "https://api.trustedservices.intel.com";
const TIMEOUT_MS = 30_000;
const MAX_ANSWER_BYTES = 16 * 1_048_576;
const several = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

/** `charter call <app> <path>`: HTTP to an app, once whoever answers has shown that it is that app's live instance. */
export function addCallCommand(program: Command): void {
  program
    .command("call")
    .description(
      "talk to an app over attested TLS: evidence, lease, release and ledger are checked before a byte is sent",
    )
    .argument("<app>", "address", addressOption)
    .argument("<path>", "path and query, e.g. /notes?q=1")
    .option(
      "--connect <host:port>",
      "an instance, or a gateway (default: where the relayer says that instances answer)",
    )
    .option(
      "--server-name <name>",
      "name to ask for; a gateway routes by it (default: <app>.charter.invalid)",
    )
    .option("--collateral <file>", "Intel's collateral (JSON) to judge by, instead of asking for it")
    .option("--pcs-url <url>", "Intel's certification service, or a cache of it", INTEL_PCS_URL)
    .option("--root <file>", "PEM of a test root; the vendor's own then does not count (repeatable)", several)
    .option("-X, --method <method>", "HTTP method", "GET")
    .option("-H, --header <name: value>", "a header (repeatable)", several)
    .option("-d, --data <file>", "file to send as the body")
    .action(async (app: Address, path: string, options: CallOptions, command: Command) => {
      const context = contextOf(command);
      const places = await whereIs(context, app, options);
      const { where, instance, publicKey } = await judgeFirst(context, app, places, options);
      context.out.note(checksText(instance.checks));
      const answer = await send(where, publicKey, path, options);
      const { key, composeHash, release, checks } = instance;
      context.out.result(
        { app, key, composeHash, release, checks, status: answer.status, body: answer.body },
        answer.body,
      );
      if (answer.status >= 400) process.exitCode = ExitCode.Refused;
    });
}

interface Judged {
  readonly where: Where;
  readonly instance: VerifiedInstance;
  readonly publicKey: Uint8Array;
}

/** The first that answers: an instance that has just stopped is listed until its word ends. One that lies ends it. */
async function judgeFirst(
  context: Context,
  app: Address,
  [where, ...others]: readonly [Where, ...Where[]],
  options: CallOptions,
): Promise<Judged> {
  try {
    return await judge(context, app, where, options);
  } catch (error) {
    const [next, ...rest] = others;
    const isAway = error instanceof CliError && error.code === "call/unreachable";
    if (!isAway || next === undefined) throw error;
    return judgeFirst(context, app, [next, ...rest], options);
  }
}

async function judge(context: Context, app: Address, where: Where, options: CallOptions): Promise<Judged> {
  const client = await context.client();
  const roots = options.root?.map((path) => testRootFromPem(readText(path)));
  const { certificate, publicKey, attestation } = await askAttestation(where);
  const collateral = async (quote: string): Promise<Collateral> =>
    options.collateral === undefined
      ? parseCollateral(await fetchCollateral(options.pcsUrl, platformFamily(quoteBytes(quote)), false))
      : parseCollateral(readJson(options.collateral));
  const instance = await verifyInstance({
    ...{ app, certificate, publicKey, attestation, client, collateral, roots },
    deployment: context.deployment(),
    manifest: async (composeHash) => parseManifest(await fetchByDigest(context, composeHash)),
    now: Math.floor(Date.now() / 1_000),
  });
  return { where, instance, publicKey };
}

async function whereIs(
  context: Context,
  app: Address,
  { connect, serverName }: CallOptions,
): Promise<[Where, ...Where[]]> {
  const named = serverName ?? `${app.slice(2)}.charter.invalid`;
  if (connect !== undefined) {
    const found = /^(?:\[(.+)\]|([^:]+)):(\d{1,5})$/.exec(connect);
    const port = Number(found?.[3]);
    if (found && port >= 1 && port <= 65_535)
      return [{ host: found[1] ?? found[2] ?? "", port, serverName: named }];
    throw new CliError(ExitCode.Usage, "cli/usage", "expected --connect as host:port", { actual: connect });
  }
  const response = await relayerFetch(context, `/apps/${app}/endpoints`);
  const parsed = endpointsSchema.safeParse(await response.json().catch(() => undefined));
  const [first, ...others] = (parsed.success ? parsed.data.endpoints : [])
    .filter(({ host }) => isIP(host) !== 0)
    .map(({ host, port }) => ({ host, port, serverName: named }));
  if (first !== undefined) return [first, ...others];
  throw new CliError(
    ExitCode.Unreachable,
    "call/no-instance",
    "the relayer knows of no instance of this app that answers",
    {
      app,
    },
  );
}

/** The request, in a connection to the key that was verified: with any other it ends before a byte is sent. */
async function send(
  where: Where,
  publicKey: Uint8Array,
  path: string,
  options: CallOptions,
): Promise<{ status: number; body: string }> {
  const { socket, publicKey: met } = await meet(where, "http/1.1");
  if (toHex(met) !== toHex(publicKey)) {
    socket.destroy();
    throw new CliError(
      ExitCode.NotVerified,
      "call/another-key",
      "another key answers than the one that was verified",
      {
        expected: toHex(publicKey),
        actual: toHex(met),
      },
    );
  }
  const headers = Object.fromEntries((options.header ?? []).map(readHeader));
  const body = options.data === undefined ? undefined : readBytes(options.data);
  return new Promise((resolve, reject) => {
    const failed = (cause: unknown): void =>
      reject(
        new CliError(ExitCode.Unreachable, "call/unreachable", "the app did not answer", {
          cause: cause instanceof Error ? cause.message : String(cause),
        }),
      );
    const asked = request(
      {
        method: options.method,
        path,
        headers: { host: where.serverName, ...headers },
        createConnection: () => socket,
        timeout: TIMEOUT_MS,
      },
      (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on("data", (chunk: Buffer) => {
          size += chunk.length;
          if (size > MAX_ANSWER_BYTES) asked.destroy(new Error("the answer is longer than 16 MiB"));
          chunks.push(chunk);
        });
        response.once("error", failed);
        response.once("end", () => {
          socket.destroy();
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") });
        });
      },
    );
    asked.once("error", failed);
    asked.once("timeout", () => asked.destroy(new Error("no answer in time")));
    asked.end(body);
  });
}

function readHeader(text: string): [name: string, value: string] {
  const found = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):\s*(.*)$/.exec(text);
  if (found) return [found[1] ?? "", found[2] ?? ""];
  throw new CliError(ExitCode.Usage, "cli/usage", 'expected --header as "name: value"', { actual: text });
}

const checksText = (checks: readonly CallCheck[]): string =>
  checks
    .map(({ name, ok, detail }) => `${ok ? "✓" : "✗"} ${name.padEnd(20)} ${JSON.stringify(detail)}`)
    .join("\n");
