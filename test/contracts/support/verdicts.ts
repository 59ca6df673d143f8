import { AbiCoder, id, ZeroAddress, ZeroHash } from "ethers";
import type { AddressLike, BaseContract, TypedDataField, Wallet } from "ethers";

import {
  committeeDomain,
  instanceEntryTypes,
  ledgerDomain,
  nodeEntryTypes,
  nodeRegistryDomain,
  verdictTypes,
} from "../../../protocol/session/domains.ts";
import type { Address } from "../../../protocol/words/hex.ts";
import { ProofSystem, TcbStatus, TeeKind } from "../../../protocol/words/enums.ts";
import type { Charter } from "./charter.ts";

/** The contracts' `Verdict`. */
export interface Verdict {
  consumer: string;
  subject: string;
  key: string;
  evidenceBlock: bigint;
  evidenceBlockHash: string;
  platformId: string;
  composeHash: string;
  osImageHash: string;
  measurementDigest: string;
  pinnedMeasurementDigest: string;
  kind: bigint;
  status: bigint;
  advisoriesDigest: string;
  evidenceDigest: string;
  gpuDigest: string;
  validUntil: bigint;
  simulated: boolean;
}

export const PLATFORM = id("platform");
export const COMPOSE_HASH = id("compose");
export const OS_IMAGE = id("os image");
export const MEASUREMENT = id("measurement");
export const COMMITTEE = BigInt(ProofSystem.Committee);
export const DAY = 86_400n;

const fields = (
  types: Readonly<Record<string, readonly TypedDataField[]>>,
): Record<string, TypedDataField[]> =>
  Object.fromEntries(Object.entries(types).map(([name, list]) => [name, [...list]]));

const addressOf = async (contract: BaseContract) => (await contract.getAddress()) as Address;

/** A verdict over the newest block; `over` says what is special about it. */
async function verdict(charter: Charter, over: Partial<Verdict>): Promise<Verdict> {
  const block = await charter.connection.ethers.provider.getBlock("latest");
  if (!block?.hash) throw new Error("no block");
  return {
    consumer: ZeroAddress,
    subject: ZeroAddress,
    key: ZeroAddress,
    evidenceBlock: BigInt(block.number),
    evidenceBlockHash: block.hash,
    platformId: PLATFORM,
    composeHash: ZeroHash,
    osImageHash: OS_IMAGE,
    measurementDigest: MEASUREMENT,
    pinnedMeasurementDigest: id("pinned measurement"),
    kind: BigInt(TeeKind.Tdx),
    status: BigInt(TcbStatus.UpToDate),
    advisoriesDigest: ZeroHash,
    evidenceDigest: id(`evidence ${block.number}`),
    gpuDigest: ZeroHash,
    validUntil: BigInt(block.timestamp) + DAY,
    simulated: false,
    ...over,
  };
}

/** Verdict on a node's own evidence. */
export async function nodeVerdict(
  charter: Charter,
  key: Wallet,
  over: Partial<Verdict> = {},
): Promise<Verdict> {
  return verdict(charter, {
    consumer: await addressOf(charter.nodeRegistry),
    subject: charter.operator.address,
    key: key.address,
    ...over,
  });
}

/** Verdict on an instance's evidence. */
export async function instanceVerdict(
  charter: Charter,
  app: AddressLike & string,
  key: Wallet,
  over: Partial<Verdict> = {},
): Promise<Verdict> {
  return verdict(charter, {
    consumer: await addressOf(charter.attestationLedger),
    subject: app,
    key: key.address,
    composeHash: COMPOSE_HASH,
    ...over,
  });
}

/** Signatures of these members, in the order given. */
export async function signaturesOf(
  charter: Charter,
  signed: Verdict,
  members: readonly Wallet[],
  at: { chainId?: number; verifier?: Address } = {},
): Promise<string[]> {
  const domain = committeeDomain(
    at.chainId ?? Number(charter.chainId),
    at.verifier ?? (await addressOf(charter.committeeVerifier)),
  );
  return Promise.all(members.map((member) => member.signTypedData(domain, fields(verdictTypes), signed)));
}

const VERDICT = `tuple(${verdictTypes.Verdict.map(({ name, type }) => `${type} ${name}`).join()})`;

export const encodeProof = (signed: Verdict, signatures: readonly string[]): string =>
  AbiCoder.defaultAbiCoder().encode([VERDICT, "bytes[]"], [signed, signatures]);

/** Proof by the first two members; `signed`: what they signed, where the proof says something else. */
export async function prove(charter: Charter, verdict: Verdict, signed = verdict): Promise<string> {
  return encodeProof(verdict, await signaturesOf(charter, signed, charter.members.slice(0, 2)));
}

/** What a VerifierDouble takes for proven: this verdict, resting on this record, until then. */
export const doubleProof = (verdict: Verdict, record = 0n, until = verdict.validUntil): string =>
  AbiCoder.defaultAbiCoder().encode([VERDICT, "uint32", "uint40"], [verdict, record, until]);

/** What the committee's verifier answers the verdict's consumer: only that one may ask. */
export const askCommittee = (charter: Charter, verdict: Verdict, proof: string) =>
  charter.committeeVerifier
    .connect(charter.connection.ethers.provider)
    .verify.staticCall(proof, { from: verdict.consumer });

interface Signer {
  signTypedData(
    domain: ReturnType<typeof ledgerDomain>,
    types: Record<string, TypedDataField[]>,
    value: Record<string, unknown>,
  ): Promise<string>;
}

/** The bound key's consent to be entered as an instance. `at`: given elsewhere. */
export async function signInstance(
  charter: Charter,
  signer: Signer,
  entry: Pick<Verdict, "subject" | "evidenceDigest">,
  at: { chainId?: number; ledger?: string } = {},
): Promise<string> {
  const domain = ledgerDomain(
    at.chainId ?? Number(charter.chainId),
    (at.ledger as Address | undefined) ?? (await addressOf(charter.attestationLedger)),
  );
  return signer.signTypedData(domain, fields(instanceEntryTypes), {
    app: entry.subject,
    evidenceDigest: entry.evidenceDigest,
  });
}

/** Consent to be entered as a node: of the operator, and of the bound key. `at`: given elsewhere. */
export async function signNode(
  charter: Charter,
  signer: Signer,
  entry: Verdict,
  at: { chainId?: number; registry?: string } = {},
): Promise<string> {
  const domain = nodeRegistryDomain(
    at.chainId ?? Number(charter.chainId),
    (at.registry as Address | undefined) ?? (await addressOf(charter.nodeRegistry)),
  );
  return signer.signTypedData(domain, fields(nodeEntryTypes), {
    operator: entry.subject,
    platformId: entry.platformId,
    evidenceDigest: entry.evidenceDigest,
  });
}
