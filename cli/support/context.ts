import { existsSync, readFileSync } from "node:fs";

import type { Command } from "commander";
import {
  createPublicClient,
  createWalletClient,
  http,
  type Account,
  type PublicClient,
  type Transport,
  type WalletClient,
} from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { defineChain } from "viem/utils";

import { parseDeployment, type Deployment } from "../../protocol/deployment/deployment.ts";
import { parseHex, type Address } from "../../protocol/words/hex.ts";
import { CliError } from "./CliError.ts";
import { ExitCode } from "./exitCodes.ts";
import { output, type Output } from "./output.ts";
import { parseContractNetworks, type ContractNetworks } from "./safe/contractNetworks.ts";
import { safePlan, type SafeGlobalOptions, type SafePlan } from "./safe/plan.ts";

/** What a command works with. Clients are made on first use: offline commands need none. */
export interface Context {
  readonly out: Output;
  readonly deployment: () => Deployment;
  readonly client: () => Promise<PublicClient>;
  readonly wallet: () => Promise<{ wallet: WalletClient; account: Account }>;
  readonly relayerUrl: () => string;
  /** The Governor that owner's actions go to as proposals; null when they are sent at once. */
  readonly governor: () => Address | null;
  /** The Safe that an owner's actions go to as transactions of its own; null when they are sent at once. */
  readonly safe: () => SafePlan | null;
  /** Where Safe's contracts stand, on chains that its kit does not know. */
  readonly safeContracts: () => ContractNetworks | null;
  /** The Sigstore trusted root that provenance of notes is verified by; null when it is not to be verified. */
  readonly trustedRoot: () => { readonly file: string } | null;
}

interface GlobalOptions extends SafeGlobalOptions {
  readonly json?: boolean;
  readonly rpc?: string;
  readonly relayer?: string;
  readonly deployment?: string;
  readonly keyFile?: string;
  readonly governor?: Address | "deployment";
  readonly safeContracts?: string;
  readonly trustedRoot?: string;
}

const DEFAULT_DEPLOYMENT = ".charter/devnet/deployment.json";

/** Reads the global options of the command that runs (and the environment that they default to). */
export function contextOf(command: Command): Context {
  const options = command.optsWithGlobals<GlobalOptions>();
  const out = output(options.json ?? false);
  const plan = safePlan(options);
  if (plan !== null && options.governor !== undefined) {
    throw new CliError(ExitCode.Usage, "cli/usage", "expected --safe or --governor, not both");
  }
  let client: Promise<PublicClient> | undefined;
  const deployment = (): Deployment => readDeployment(options.deployment ?? process.env.CHARTER_DEPLOYMENT);
  const connect = (): Promise<PublicClient> => (client ??= connected(transport(options), deployment()));
  return {
    out,
    deployment,
    client: connect,
    wallet: async () => {
      await connect();
      const account = readAccount(options.keyFile);
      return { account, wallet: createWalletClient({ account, transport: transport(options) }) };
    },
    relayerUrl: () =>
      required(
        options.relayer ?? process.env.CHARTER_RELAYER_URL,
        "--relayer or CHARTER_RELAYER_URL",
      ).replace(/\/$/, ""),
    governor: () => (options.governor === "deployment" ? deployment().governor : (options.governor ?? null)),
    safe: () => plan,
    safeContracts: () => {
      const path = options.safeContracts ?? process.env.CHARTER_SAFE_CONTRACTS;
      return path ? parseContractNetworks(readText(path)) : null;
    },
    trustedRoot: () => (options.trustedRoot === undefined ? null : { file: options.trustedRoot }),
  };
}

const transport = (options: GlobalOptions): Transport =>
  http(required(options.rpc ?? process.env.CHARTER_RPC_URL, "--rpc or CHARTER_RPC_URL"), { retryCount: 1 });

function required(value: string | undefined, what: string): string {
  if (value) return value;
  throw new CliError(ExitCode.Usage, "cli/not-configured", `expected ${what}`);
}

/** Refuses a node of another chain than the address book's: its answers would be about other contracts. */
async function connected(via: Transport, deployment: Deployment): Promise<PublicClient> {
  const chain = defineChain({
    id: deployment.chainId,
    name: `chain ${deployment.chainId}`,
    nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
    rpcUrls: { default: { http: [] } },
  });
  const client = createPublicClient({ chain, transport: via, cacheTime: 0 });
  const [actual, genesis] = await Promise.all([client.getChainId(), client.getBlock({ blockNumber: 0n })]);
  if (actual !== deployment.chainId || genesis.hash !== deployment.genesisHash) {
    throw new CliError(
      ExitCode.Usage,
      "chain/wrong-chain",
      "the node follows another chain than the address book",
      {
        expected: { chainId: deployment.chainId, genesisHash: deployment.genesisHash },
        actual: { chainId: actual, genesisHash: genesis.hash },
      },
    );
  }
  return client;
}

function readDeployment(path = DEFAULT_DEPLOYMENT): Deployment {
  if (!existsSync(path)) {
    throw new CliError(ExitCode.Usage, "cli/not-configured", `expected an address book at ${path}`, {
      hint: "--deployment or CHARTER_DEPLOYMENT; `npm start` writes one",
    });
  }
  return parseDeployment(readFileSync(path, "utf8"));
}

/** The key that signs: a file, or CHARTER_KEY. Never printed, never in an error. */
function readAccount(keyFile: string | undefined): Account {
  const text = keyFile
    ? readText(keyFile).trim()
    : required(process.env.CHARTER_KEY, "--key-file or CHARTER_KEY");
  try {
    return privateKeyToAccount(parseHex(text, 32, "key"));
  } catch {
    throw new CliError(ExitCode.Usage, "cli/key-invalid", "expected a private key of 0x and 64 hex digits");
  }
}

/** A file's text, or `cli/file-unreadable`. */
export function readText(path: string): string {
  return readBytes(path).toString("utf8");
}

/** A file's bytes, or `cli/file-unreadable`. */
export function readBytes(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch {
    throw new CliError(ExitCode.Usage, "cli/file-unreadable", `expected a readable file at ${path}`, {
      path,
    });
  }
}
