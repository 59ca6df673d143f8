import type { Address } from "../words/hex.ts";

/** EIP-712 domains: each binds the chain and the contract that a signature speaks to. */
const domain = (name: string) => (chainId: number, verifyingContract: Address) => ({
  name,
  version: "1",
  chainId,
  verifyingContract,
});

/** Leases and lease requests: the ledger. */
export const leaseDomain = domain("Charter Lease");
/** Sessions that a guest and a relayer hold: the ledger. */
export const sessionDomain = domain("Charter Session");
/** The bound key's consent to be entered as an instance: the ledger. */
export const ledgerDomain = domain("Charter AttestationLedger");
/** Operator's and key's consent to be entered as a node: the registry. */
export const nodeRegistryDomain = domain("Charter NodeRegistry");
/** Publishing bytes that stand in no event yet: the app registry. */
export const publishDomain = domain("Charter Publish");
/** Committee verdicts: the verifier. */
export const committeeDomain = domain("Charter CommitteeVerifier");

export const instanceEntryTypes = {
  InstanceEntry: [
    { name: "app", type: "address" },
    { name: "evidenceDigest", type: "bytes32" },
  ],
} as const;

/** Where an instance answers TLS, until then: `leaseDomain`. */
export const endpointTypes = {
  InstanceEndpoint: [
    { name: "app", type: "address" },
    { name: "host", type: "string" },
    { name: "port", type: "uint16" },
    { name: "until", type: "uint40" },
  ],
} as const;

export const nodeEntryTypes = {
  NodeEntry: [
    { name: "operator", type: "address" },
    { name: "platformId", type: "bytes32" },
    { name: "evidenceDigest", type: "bytes32" },
  ],
} as const;

export const verdictTypes = {
  Verdict: [
    { name: "consumer", type: "address" },
    { name: "subject", type: "address" },
    { name: "key", type: "address" },
    { name: "evidenceBlock", type: "uint64" },
    { name: "evidenceBlockHash", type: "bytes32" },
    { name: "platformId", type: "bytes32" },
    { name: "composeHash", type: "bytes32" },
    { name: "osImageHash", type: "bytes32" },
    { name: "measurementDigest", type: "bytes32" },
    { name: "pinnedMeasurementDigest", type: "bytes32" },
    { name: "kind", type: "uint8" },
    { name: "status", type: "uint8" },
    { name: "advisoriesDigest", type: "bytes32" },
    { name: "evidenceDigest", type: "bytes32" },
    { name: "gpuDigest", type: "bytes32" },
    { name: "validUntil", type: "uint40" },
    { name: "simulated", type: "bool" },
  ],
} as const;

/** What a committee signs for a whole Merkle tree of leaves; `ledger` is the AttestationLedger that may post it. */
export const batchTypes = {
  Batch: [
    { name: "ledger", type: "address" },
    { name: "root", type: "bytes32" },
    { name: "count", type: "uint32" },
    { name: "validUntil", type: "uint40" },
    { name: "minBlock", type: "uint64" },
    { name: "blockHash", type: "bytes32" },
  ],
} as const;

/**
 * An app owner's (or a configured publisher's) wish that the relayer keeps bytes which stand in no event yet; `digest`
 * is their SHA-256. Sent as the header `charter-signature` of `PUT /ipfs/<cid>`.
 */
export const publishTypes = {
  Publish: [{ name: "digest", type: "bytes32" }],
} as const;

/** The instance key's request for a lease over a fresh nonce. */
export const leaseRequestTypes = {
  LeaseRequest: [
    { name: "app", type: "address" },
    { name: "nonce", type: "bytes32" },
  ],
} as const;

/** One signature over all leases of a tick. */
export const leaseTickTypes = {
  LeaseTick: [
    { name: "root", type: "bytes32" },
    { name: "blockNumber", type: "uint64" },
    { name: "blockHash", type: "bytes32" },
  ],
} as const;

/** What both sides of a session sign: who they are, and a challenge of each, which is an X25519 key of this session only. */
const handshake = [
  { name: "app", type: "address" },
  { name: "key", type: "address" },
  { name: "relayer", type: "address" },
  { name: "relayerChallenge", type: "bytes32" },
  { name: "guestChallenge", type: "bytes32" },
] as const;

/** By the instance key. */
export const sessionOpenTypes = { SessionOpen: handshake } as const;
/** By the relayer's lease signer. Another name, so that neither side's signature can be given back to it. */
export const sessionAcceptTypes = { SessionAccept: handshake } as const;
