import type { Wallet } from "ethers";

import { encodeDirectProof } from "../../../protocol/evidence/dcap/onchain/encodeClaim.ts";
import { encodeFirstQuote, encodeKnownQuote } from "../../../protocol/evidence/dcap/onchain/encodeQuote.ts";
import { parseQuote } from "../../../protocol/evidence/dcap/parseQuote.ts";
import { quoteDigest } from "../../../protocol/evidence/dcap/quoteDigest.ts";
import { reportData } from "../../../protocol/evidence/reportData.ts";
import { SettingKind } from "../../../protocol/policy/settingKind.ts";
import { ProofSystem, TcbStatus, TeeKind } from "../../../protocol/words/enums.ts";
import { fromHex, type Address, type Bytes32, type ComposeHash } from "../../../protocol/words/hex.ts";
import type { DcapCollateral, DcapVerifier } from "../../../types/typechain/index.ts";
import { issueCollateral, type CollateralOptions } from "../../../worker/tee/simulator/collateral.ts";
import { SIMULATED_IMAGE } from "../../../worker/tee/simulator/measurements.ts";
import { simulatedPlatform, type SimulatedPlatform } from "../../../worker/tee/simulator/platform.ts";
import { SimulatedTdx } from "../../../worker/tee/simulator/SimulatedTdx.ts";
import { pki } from "../../protocol/evidence/simulated.ts";
import { deployCollateral, putAll } from "../attestation/dcap/support/collateral.ts";
import { deployContracts, type Charter, type Connection } from "./charter.ts";
import { word, type Entry } from "./flows.ts";
import { COMPOSE_HASH, signInstance, signNode, type Verdict } from "./verdicts.ts";

export const DIRECT = BigInt(ProofSystem.Direct);

/** Charter's contracts with direct proofs, over collateral of the simulated vendor. */
export interface DirectCharter extends Charter {
  readonly collateral: DcapCollateral;
  readonly dcapVerifier: DcapVerifier;
  readonly platform: SimulatedPlatform;
}

const lower = async (contract: { getAddress(): Promise<string> }): Promise<Address> =>
  (await contract.getAddress()).toLowerCase() as Address;

/** Deploys everything on a chain whose clock stands at `at`; collateral is of then. */
export async function deployDirect(connection: Connection, at: number): Promise<DirectCharter> {
  const charter = await deployContracts(connection);
  const collateral = await deployCollateral(connection, charter.governance.address, pki.file.root);
  const dcapVerifier = (await connection.ethers.deployContract("DcapVerifier", [
    await collateral.getAddress(),
  ])) as unknown as DcapVerifier;
  await charter.nodeRegistry.setVerifier(DIRECT, await dcapVerifier.getAddress());
  await charter.attestationLedger.setVerifier(DIRECT, await dcapVerifier.getAddress());
  await bring({ collateral }, { at: at - 60 });
  return { ...charter, collateral, dcapVerifier, platform: simulatedPlatform(pki, { name: "one" }) };
}

/** Brings collateral of the simulated vendor onto the chain. */
export const bring = ({ collateral }: Pick<DirectCharter, "collateral">, options: CollateralOptions) =>
  putAll(collateral, issueCollateral(pki, options));

/** A policy that direct proofs of the simulated machine meet. */
export const directPolicy = (platformId: string): readonly Entry[] => [
  { kind: SettingKind.TeeKind, key: word(TeeKind.Tdx), value: 1n },
  { kind: SettingKind.TcbStatus, key: word(TcbStatus.UpToDate), value: 1n },
  { kind: SettingKind.ProofSystem, key: word(ProofSystem.Direct), value: 1n },
  { kind: SettingKind.OsImage, key: SIMULATED_IMAGE.osImageHash, value: SIMULATED_IMAGE.measurementDigest },
  { kind: SettingKind.Node, key: platformId, value: 1n },
  { kind: SettingKind.MaxEvidenceAge, key: word(0), value: 100n },
];

interface Bound {
  readonly quote: Uint8Array;
  readonly block: bigint;
  readonly digest: Bytes32;
}

/**
 * A quote bound to the newest block, without a zero byte where chance may put one: zeros cost less call data, and gas is
 * compared exactly. Null where the block's hash gives one.
 */
async function quoteFor(
  charter: DirectCharter,
  purpose: "node" | "instance",
  consumer: Address,
  subject: Address,
  key: Wallet,
): Promise<Bound | null> {
  const { ethers } = charter.connection;
  const block = await ethers.provider.getBlock("latest");
  if (!block?.hash) throw new Error("no block");
  const binding = {
    purpose,
    chainId: Number(charter.chainId),
    consumer,
    subject,
    key: key.address.toLowerCase() as Address,
    blockNumber: BigInt(block.number),
    blockHash: block.hash as Bytes32,
  };
  const composeHash = purpose === "instance" ? { composeHash: COMPOSE_HASH as ComposeHash } : {};
  const data = fromHex(reportData(binding));
  if (data.subarray(0, 32).includes(0)) return null;
  for (;;) {
    // A copy has its quoting enclave's key certified anew, by another signature.
    const td = new SimulatedTdx({ ...charter.platform }, composeHash);
    const quote = fromHex((await td.quote(data)).quote);
    const parsed = parseQuote(quote);
    if (parsed.signature.includes(0) || parsed.qeReportSignature.includes(0)) continue;
    return { quote, block: binding.blockNumber, digest: quoteDigest(quote) };
  }
}

const hasZero = (hex: string): boolean => fromHex(hex).includes(0);

/** Asks over newer and newer blocks until chance has put no zero anywhere. */
async function steady<T>(charter: DirectCharter, make: () => Promise<T | null>): Promise<T> {
  for (let made = await make(); ; made = await make()) {
    if (made !== null) return made;
    await charter.connection.networkHelpers.mine(1);
  }
}

const entryOf = (subject: string, platformId: string, evidenceDigest: string): Verdict =>
  ({ subject, platformId, evidenceDigest }) as unknown as Verdict;

/** Registers the platform by a direct proof: first use, or (a record given) of a known one. */
export async function registerDirect(
  charter: DirectCharter,
  key: Wallet,
  options: { readonly record?: number; readonly byOperator?: boolean } = {},
) {
  const { nodeRegistry, operator, platform } = charter;
  const subject = operator.address.toLowerCase() as Address;
  const consumer = await lower(nodeRegistry);
  const isOwn = options.byOperator === true;
  const made = await steady(charter, async () => {
    const bound = await quoteFor(charter, "node", consumer, subject, key);
    if (bound === null) return null;
    const entry = entryOf(operator.address, platform.platformId, bound.digest);
    const signature = isOwn ? "0x" : await signNode(charter, operator, entry);
    const consent = await signNode(charter, key, entry);
    return hasZero(consent) || hasZero(signature) ? null : { ...bound, signature, consent };
  });
  const { quote, block, signature, consent } = made;
  const encoded =
    options.record === undefined ? encodeFirstQuote(quote) : encodeKnownQuote(quote, options.record);
  const proof = encodeDirectProof(
    { subject, key: key.address.toLowerCase() as Address, evidenceBlock: block },
    encoded,
  );
  return (isOwn ? nodeRegistry.connect(operator) : nodeRegistry).register(DIRECT, proof, signature, consent);
}

/** Attests an instance on node 1 by a direct proof of a platform with a record. */
export async function attestDirect(
  charter: DirectCharter,
  app: string,
  key: Wallet,
  options: { readonly record?: number; readonly combines?: boolean } = {},
) {
  const { attestationLedger } = charter;
  const subject = app.toLowerCase() as Address;
  const consumer = await lower(attestationLedger);
  const { quote, block, consent } = await steady(charter, async () => {
    const bound = await quoteFor(charter, "instance", consumer, subject, key);
    if (bound === null) return null;
    const signed = await signInstance(charter, key, entryOf(app, charter.platform.platformId, bound.digest));
    return hasZero(signed) ? null : { ...bound, consent: signed };
  });
  const proof = encodeDirectProof(
    {
      subject,
      key: key.address.toLowerCase() as Address,
      evidenceBlock: block,
      instance: { osImageHash: SIMULATED_IMAGE.osImageHash },
    },
    encodeKnownQuote(quote, options.record ?? 1),
  );
  return attestationLedger.attest(1, DIRECT, options.combines ?? false, proof, consent);
}
