import { sha256 } from "@noble/hashes/sha2.js";
import { encodeFunctionData } from "viem";

import { dcapCollateralAbi } from "../../protocol/abi/dcapCollateral.ts";
import type { Certificate } from "../../protocol/der/certificate.ts";
import type { SignedDocument } from "../../protocol/evidence/dcap/collateral.ts";
import { collateralCalls } from "../../protocol/evidence/dcap/onchain/collateralCalls.ts";
import { keptKey, PckCa } from "../../protocol/state/applyDcapEvent.ts";
import type { KeptCollateral } from "../../protocol/state/types.ts";
import { TeeKind } from "../../protocol/words/enums.ts";
import { fromHex, toHex, type Bytes32, type Hex } from "../../protocol/words/hex.ts";
import type { HeldCollateral } from "./genuineCollateral.ts";
import type { PlatformFamily } from "./platformFamily.ts";

export type PieceName = "root-crl" | "certificate" | "pck-crl" | "qe-identity" | "tcb-info";

/** A piece of what the vendor publishes for a family, and the call of DcapCollateral that brings it. */
export interface Piece {
  readonly name: PieceName;
  /** Of `ChainState.collateral`. */
  readonly key: string;
  /** A piece is verified by the pieces of earlier tiers: 0 root CRL, 1 certificates, 2 what these sign. */
  readonly tier: 0 | 1 | 2;
  readonly published: KeptCollateral;
  readonly data: Hex;
  /** SHA-256 of what is signed; of a document, together with its signer's certificate: another signer signs it anew. */
  readonly digest: Bytes32;
}

const DAY = 86_400;
/** How long before its end a piece is renewed, unless half of its life is less. */
const RENEW_SECONDS = 3 * DAY;

/**
 * Whether a piece must be brought: the chain has none, the vendor publishes other content that is newer, or what the
 * chain has will end soon and the vendor publishes a later one. Other dates alone wait until then: a vendor signs the
 * same content anew every day, and millions of gas bring it.
 */
export function isDue({ name, published }: Piece, kept: KeptCollateral | undefined, now: number): boolean {
  if (kept === undefined) return true;
  const isDocument = name === "qe-identity" || name === "tcb-info";
  const isNewer = isDocument
    ? published.content > kept.content
    : published.content !== kept.content && published.nextUpdate >= kept.nextUpdate;
  if (isNewer) return true;
  const margin = Math.min(RENEW_SECONDS, (kept.nextUpdate - kept.issuedAt) / 2);
  return kept.nextUpdate - now <= margin && published.nextUpdate > kept.nextUpdate;
}

/** Everything that a judgement of this family needs, in the order in which the contract takes it. */
export function piecesOf(family: PlatformFamily, { message, parsed }: HeldCollateral): readonly Piece[] {
  const ca = family.ca === "platform" ? PckCa.Platform : PckCa.Processor;
  const tee = family.tee === "tdx" ? TeeKind.Tdx : TeeKind.Sgx;
  const { rootCaCrl, pckCrl, pckCrlChain, tcbInfo, qeIdentity } = parsed;
  const [caCertificate, signer] = [pckCrlChain[0], tcbInfo.chain[0]] as const;
  const crl = ({ revoked, thisUpdate, nextUpdate }: typeof pckCrl): KeptCollateral => ({
    content: BigInt(revoked.size),
    issuedAt: thisUpdate,
    nextUpdate,
  });
  const described: readonly Omit<Piece, "data" | "digest">[] = [
    { name: "root-crl", key: keptKey.crl(PckCa.None), tier: 0, published: crl(rootCaCrl) },
    { name: "certificate", key: keptKey.certificate(ca), tier: 1, published: certificate(caCertificate) },
    { name: "certificate", key: keptKey.certificate(PckCa.None), tier: 1, published: certificate(signer) },
    { name: "pck-crl", key: keptKey.crl(ca), tier: 2, published: crl(pckCrl) },
    { name: "qe-identity", key: keptKey.qeIdentity(tee), tier: 2, published: document(qeIdentity) },
    {
      name: "tcb-info",
      key: keptKey.tcbInfo(tee, `0x${family.fmspc.toLowerCase()}`),
      tier: 2,
      published: document(tcbInfo),
    },
  ];
  return collateralCalls(message).map((call, i): Piece => {
    const piece = described[i] as Omit<Piece, "data" | "digest">;
    const signedBy = call.args.length === 2 ? (signer?.serial ?? "") : "";
    const content = new Uint8Array([...sha256(fromHex(call.args[0])), ...new TextEncoder().encode(signedBy)]);
    return {
      ...piece,
      data: encodeFunctionData({ abi: dcapCollateralAbi, ...call }),
      digest: toHex(sha256(content)) as Bytes32,
    };
  });
}

function certificate(of: Certificate | undefined): KeptCollateral {
  return { content: BigInt(of?.serial ?? 0), issuedAt: 0, nextUpdate: of?.notAfter ?? 0 };
}

const document = ({
  content: { tcbEvaluationDataNumber, issueDate, nextUpdate },
}: SignedDocument<{
  readonly tcbEvaluationDataNumber: number;
  readonly issueDate: number;
  readonly nextUpdate: number;
}>): KeptCollateral => ({ content: BigInt(tcbEvaluationDataNumber), issuedAt: issueDate, nextUpdate });
