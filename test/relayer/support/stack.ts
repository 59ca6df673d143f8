import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { FastifyInstance } from "fastify";
import { createWalletClient, http } from "viem";
import type { PublicClient, WalletClient } from "viem";
import { mnemonicToAccount } from "viem/accounts";
import type { HDAccount } from "viem/accounts";

import type { Deployment } from "../../../protocol/deployment/deployment.ts";
import type { Address, Hex } from "../../../protocol/words/hex.ts";
import { toHex } from "../../../protocol/words/hex.ts";
import { createChainClient } from "../../../relayer/chain/client.ts";
import { deployCharter } from "../../../scripts/deploy.ts";
import { createPcs } from "../../../worker/tee/simulator/pcs.ts";
import type { Pcs } from "../../../worker/tee/simulator/pcs.ts";
import { loadOrCreateAmdPki } from "../../../worker/tee/simulator/snp/amdPkiFile.ts";
import { writeRoots } from "../../../worker/tee/simulator/vendorPkis.ts";
import { createVendorServer, OCSP_PATH } from "../../../worker/tee/simulator/vendorServer.ts";
import { amdKeys } from "../../protocol/evidence/snp/simulatedSnp.ts";
import { loadOrCreateTestPki } from "../../../worker/tee/simulator/pki.ts";
import type { TestPki } from "../../../worker/tee/simulator/pki.ts";
import { startAnvil } from "../../support/anvil.ts";
import type { Anvil } from "../../support/anvil.ts";
import { freshDatabase } from "../../support/postgres.ts";
import { startProgram } from "./program.ts";
import type { Program } from "./program.ts";

/** What the stack's relayers ask of whoever reads `/metrics`. */
export const ADMIN = { authorization: "Bearer the-tests-admin-token" };

export interface RelayerReady {
  readonly url: string;
  readonly bootAuthUrl: string;
}

/** Chain, contracts, simulated vendor, three signers: everything that a relayer stands on, all of it real. */
export interface Stack {
  readonly anvil: Anvil;
  readonly client: PublicClient;
  readonly wallet: WalletClient;
  readonly deployment: Deployment;
  /** The simulator's directory. */
  readonly dir: string;
  readonly pki: TestPki;
  readonly pcs: Pcs;
  /** Where it answers. */
  readonly pcsUrl: string;
  readonly account: (index: number) => HDAccount;
  readonly signers: Program<{ readonly url: string }>[];
  /** The environment of a relayer over this stack; `DATABASE_URL` is a new database. */
  relayerEnvironment(): Promise<Record<string, string>>;
  startRelayer(environment: Readonly<Record<string, string>>): Promise<Program<RelayerReady>>;
  /** The simulated vendor announces a TCB recovery: every platform is out of date by what it publishes from now on. */
  recoverTcb(): void;
  stop(): Promise<void>;
}

/** anvil's own mnemonic: 0 deploys and owns, 1 pays for the relayer, 2 leases, 3 to 5 are the committee. */
const accounts = new Map<number, HDAccount>();
const account = (index: number): HDAccount => {
  const known = accounts.get(index);
  if (known !== undefined) return known;
  // Once: from words to a key is 2,048 rounds of a hash.
  const made = mnemonicToAccount("test test test test test test test test test test test junk", {
    addressIndex: index,
  });
  accounts.set(index, made);
  return made;
};

export const keyOf = (index: number): Hex => toHex(account(index).getHdKey().privateKey ?? new Uint8Array());

export const addressOf = (index: number): Address => account(index).address.toLowerCase() as Address;

/** What a suite wants otherwise than others. */
export interface StackOptions {
  /** As on anvil's command line; a block a second by default. */
  readonly anvilFlags?: readonly string[];
  /** Names of machines with SEV-SNP. With any, the vendors beside Intel are there too: AMD, AWS, NVIDIA. */
  readonly snpMachines?: readonly string[];
  /** Signers of the committee, 3 by default; more than half must sign. */
  readonly committeeSize?: number;
  /** How long the genesis committee lasts, 30 days by default. */
  readonly genesisSeconds?: number;
  /** Between a decision about the committee and its effect; 2 days by default. */
  readonly committeeNoticeSeconds?: number;
  /** Of signers and relayers. */
  readonly environment?: Readonly<Record<string, string>>;
}

export async function startStack({
  anvilFlags = ["--block-time", "1", "--slots-in-an-epoch", "1"],
  snpMachines = [],
  committeeSize = 3,
  genesisSeconds = 30 * 86_400,
  committeeNoticeSeconds,
  environment = {},
}: StackOptions = {}): Promise<Stack> {
  const seats = [3, 4, 5].slice(0, committeeSize);
  const dir = mkdtempSync(join(tmpdir(), "charter-stack-"));
  const closers: (() => Promise<unknown> | void)[] = [() => rmSync(dir, { recursive: true })];
  const stop = async (): Promise<void> => {
    for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close();
  };
  try {
    const anvil = await startAnvil(anvilFlags);
    closers.push(() => anvil.stop());
    const pki = loadOrCreateTestPki(dir);
    const deployment = await deployCharter({
      rpcUrl: anvil.url,
      privateKey: keyOf(0),
      parameters: {
        votesHolder: addressOf(0),
        timelockDelaySeconds: 1,
        votingDelaySeconds: 1,
        votingPeriodSeconds: 10,
        committeeMembers: seats.map(addressOf).sort(),
        committeeThreshold: Math.floor(seats.length / 2) + 1,
        testRootPem: pki.file.root,
        committeeExpiresAt: Math.floor(Date.now() / 1_000) + genesisSeconds,
        ...(committeeNoticeSeconds === undefined ? {} : { committeeNoticeSeconds }),
      },
    });
    const book = join(dir, "deployment.json");
    writeFileSync(book, JSON.stringify(deployment));

    let recoveries = 0;
    const now = (): number => Math.floor(Date.now() / 1_000);
    const pcs = createPcs({ pki, now, recoveries: () => recoveries });
    const pcsUrl = await listenAnywhere(pcs.server);
    closers.push(() => pcs.server.close());
    const others = snpMachines.length === 0 ? {} : await startVendors(dir, pki, snpMachines, closers);

    const shared = {
      CHARTER_RPC_URLS: anvil.url,
      CHARTER_DEPLOYMENT: book,
      CHARTER_PCS_URL: pcsUrl,
      CHARTER_TEST_ROOT: join(dir, "root.pem"),
      ...others,
      PORT: "0",
      ...environment,
    };
    const signers = await Promise.all(
      seats.map(async (index) =>
        startProgram<{ url: string }>("relayer/signer.ts", {
          ...shared,
          CHARTER_SIGNER_KEY: keyOf(index),
          DATABASE_URL: await freshDatabase(),
        }),
      ),
    );
    for (const signer of signers) closers.push(() => signer.stop());

    return {
      anvil,
      client: createChainClient([anvil.url]),
      wallet: createWalletClient({ account: account(0), transport: http(anvil.url) }),
      deployment,
      dir,
      pki,
      pcs,
      pcsUrl,
      account,
      signers,
      relayerEnvironment: async () => ({
        ...shared,
        DATABASE_URL: await freshDatabase(),
        CHARTER_OUTBOX_KEY: keyOf(1),
        CHARTER_LEASE_KEY: keyOf(2),
        CHARTER_COMMITTEE_URLS: signers.map(({ ready }) => ready.url).join(","),
        CHARTER_BATCH_MAX_AGE_MS: "200",
        CHARTER_PUBLISHERS: addressOf(0),
        CHARTER_ADMIN_TOKEN: ADMIN.authorization.slice("Bearer ".length),
        BOOTAUTH_PORT: "0",
      }),
      startRelayer: async (environment) => {
        const relayer = await startProgram<RelayerReady>("relayer/main.ts", environment);
        closers.push(() => relayer.stop());
        return relayer;
      },
      recoverTcb: () => {
        recoveries++;
        pcs.reissue();
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** What programs are told of the vendors beside Intel. */
async function startVendors(
  dir: string,
  pki: TestPki,
  machines: readonly string[],
  closers: (() => Promise<unknown> | void)[],
): Promise<Record<string, string>> {
  const amd = loadOrCreateAmdPki(dir, { notBefore: pki.file.notBefore, keys: amdKeys() });
  const now = (): number => Math.floor(Date.now() / 1_000);
  const server = await createVendorServer({ pki, amd: { pki: amd, machines }, now });
  const url = await server.listen({ host: "127.0.0.1", port: 0 });
  closers.push(() => server.close());
  const roots = writeRoots(dir, pki);
  return {
    CHARTER_KDS_URL: url,
    CHARTER_RIM_URL: url,
    CHARTER_OCSP_URL: `${url}${OCSP_PATH}`,
    CHARTER_AMD_TEST_ROOT: join(dir, "amd-root.pem"),
    CHARTER_NITRO_TEST_ROOT: roots.nitro,
    CHARTER_GPU_TEST_ROOT: roots.gpu,
    CHARTER_RIM_TEST_ROOT: roots.rim,
  };
}

async function listenAnywhere(server: FastifyInstance): Promise<string> {
  return server.listen({ host: "127.0.0.1", port: 0 });
}
