import hre from "hardhat";

import { parseCertificate } from "../../../../../protocol/der/certificate.ts";
import { splitPem } from "../../../../../protocol/der/pem.ts";
import { parseQuote } from "../../../../../protocol/evidence/dcap/parseQuote.ts";
import { TcbStatus, TeeKind } from "../../../../../protocol/words/enums.ts";
import { toHex, type Hex } from "../../../../../protocol/words/hex.ts";
import type { IssuedCollateral } from "../../../../../worker/tee/simulator/collateral.ts";
import type {
  CollateralDouble,
  DcapVerifier,
  IDcapCollateral,
} from "../../../../../types/typechain/index.ts";
import { AT, quoteOf } from "../../../../protocol/evidence/simulated.ts";
import type { Connection } from "../../../support/charter.ts";

export const FAMILY = 7;
export const EPOCH = 3;
export const ZERO = `0x${"00".repeat(32)}`;

/** A verifier over collateral that a test sets. */
export interface VerifierOnDouble {
  readonly connection: Connection;
  readonly collateral: CollateralDouble;
  readonly verifier: DcapVerifier;
  /** The same contract by the interface that has its errors. */
  readonly errors: IDcapCollateral;
  /** Unix seconds when the collateral ends. */
  readonly validUntil: number;
}

/** A chain whose clock stands at `at` (unix seconds). */
export const openChainAt = (at: number, chainId = 31_337): Promise<Connection> =>
  hre.network.create({
    network: "default",
    override: { chainId, initialDate: new Date(at * 1000).toISOString() },
  });

const words = (key: Uint8Array): [Hex, Hex] => [toHex(key.subarray(0, 32)), toHex(key.subarray(32))];

/** Public key of the CA that a quote's own chain names. */
export const caKeyOf = (quote: Uint8Array): Uint8Array =>
  parseCertificate(splitPem(parseQuote(quote).pckChain)[1] as Uint8Array).publicKey;

/**
 * Deploys both; collateral of `caKey` for both CAs, everything UpToDate until `validUntil`.
 * @param at unix seconds.
 */
export async function deployOnDouble(
  connection: Connection,
  options: { readonly at: number; readonly caKey: Uint8Array; readonly simulated: boolean },
): Promise<VerifierOnDouble> {
  const { ethers } = connection;
  const collateral = (await ethers.deployContract("CollateralDouble", [
    options.simulated,
  ])) as unknown as CollateralDouble;
  const validUntil = options.at + 86_400;
  for (const ca of [1, 2]) await collateral.setKey(ca, ...words(options.caKey));
  await collateral.setJudgement(TcbStatus.UpToDate, ZERO, validUntil, FAMILY, EPOCH);
  const verifier = (await ethers.deployContract("DcapVerifier", [
    await collateral.getAddress(),
  ])) as unknown as DcapVerifier;
  const errors = await ethers.getContractAt("IDcapCollateral", await collateral.getAddress());
  return { connection, collateral, verifier, errors: errors as unknown as IDcapCollateral, validUntil };
}

/** Lets the simulated vendor's documents judge. */
export async function useDocuments(
  { collateral }: VerifierOnDouble,
  tee: "tdx" | "sgx",
  { tcb_info, qe_identity }: IssuedCollateral,
): Promise<void> {
  const kind = tee === "tdx" ? TeeKind.Tdx : TeeKind.Sgx;
  await collateral.setDocuments(kind, Buffer.from(tcb_info), Buffer.from(qe_identity));
}

/** A chain of its own for each test: the simulated vendor's, at its clock. */
export async function withVerifier(test: (on: VerifierOnDouble) => Promise<void>): Promise<void> {
  const connection = await openChainAt(AT);
  try {
    await test(
      await deployOnDouble(connection, { at: AT, caKey: caKeyOf(await quoteOf()), simulated: true }),
    );
  } finally {
    await connection.close();
  }
}

/** A struct that a contract answered, by its fields' names. */
export const fieldsOf = (struct: unknown): Record<string, unknown> =>
  (struct as { readonly toObject: () => Record<string, unknown> }).toObject();
