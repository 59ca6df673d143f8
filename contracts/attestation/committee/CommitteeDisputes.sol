// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";

import {Leaf} from "../../interfaces/IAttestationLedger.sol";
import {BatchTerms, Contradiction, ICommitteeDisputes} from "../../interfaces/ICommitteeDisputes.sol";
import {ICommitteeVerifier} from "../../interfaces/ICommitteeVerifier.sol";
import {IDcapVerifier, QuoteResult} from "../../interfaces/IDcapVerifier.sol";
import {Verdict} from "../../interfaces/Types.sol";
import {EvidenceBlocks} from "../../lib/EvidenceBlocks.sol";
import {Contradictions, IDisputedLedger} from "./Contradictions.sol";

/// @title CommitteeDisputes
/// @dev It holds nothing and is owned by nobody: the CommitteeVerifier that names it keeps the marks.
contract CommitteeDisputes is ICommitteeDisputes {
    ICommitteeVerifier public immutable committeeVerifier;
    IDcapVerifier public immutable dcapVerifier;
    IDisputedLedger public immutable attestationLedger;

    constructor(ICommitteeVerifier committee, IDcapVerifier direct, IDisputedLedger ledger) {
        (committeeVerifier, dcapVerifier, attestationLedger) = (committee, direct, ledger);
    }

    /// @inheritdoc ICommitteeDisputes
    function disputeVerdict(
        Verdict calldata verdict,
        bytes[] calldata signatures,
        bytes calldata quote,
        bytes calldata mrConfigIdPreimage
    ) external {
        QuoteResult memory found = _verified(quote, verdict.evidenceDigest);
        _mark(
            verdict.evidenceDigest,
            committeeVerifier.verdictDigest(verdict),
            Contradictions.ofVerdict(verdict, found, mrConfigIdPreimage),
            signatures
        );
    }

    /// @inheritdoc ICommitteeDisputes
    function disputeLeaf(
        BatchTerms calldata batch,
        Leaf calldata leaf,
        bytes32[] calldata proof,
        bytes[] calldata signatures,
        bytes calldata quote,
        bytes calldata mrConfigIdPreimage,
        bytes calldata claimPreimage
    ) external {
        QuoteResult memory found = _verified(quote, leaf.evidenceDigest);
        bytes32 root = MerkleProof.processProofCalldata(
            proof,
            keccak256(bytes.concat(keccak256(abi.encode(leaf))))
        );
        _requireThisFork(root, batch);
        _mark(
            leaf.evidenceDigest,
            committeeVerifier.batchDigest(
                address(attestationLedger),
                root,
                batch.count,
                batch.validUntil,
                batch.minBlock,
                batch.blockHash
            ),
            Contradictions.ofLeaf(attestationLedger, leaf, found, mrConfigIdPreimage, claimPreimage),
            signatures
        );
    }

    /// @dev Reverts unless this is the evidence that the committee spoke of. Its digest is of what the hardware signed, so
    /// no other signature or padding makes other evidence of it.
    function _verified(
        bytes calldata quote,
        bytes32 evidenceDigest
    ) private returns (QuoteResult memory found) {
        found = dcapVerifier.verifyQuote(quote);
        require(found.evidenceDigest == evidenceDigest, OtherEvidence(evidenceDigest, found.evidenceDigest));
    }

    /// @dev A leaf names a node, an image and a release by their numbers, which another fork may have given to others: what
    /// was said of that fork is no lie here. Posting has compared the block.
    function _requireThisFork(bytes32 root, BatchTerms calldata batch) private view {
        (, , uint64 postedBlock) = attestationLedger.batch(root);
        if (postedBlock != 0) return;
        bytes32 known = EvidenceBlocks.hashOf(batch.minBlock);
        require(known == batch.blockHash, OtherFork(batch.minBlock, known, batch.blockHash));
    }

    /// @dev Whoever signed is marked, a member today or not: a key that never sits marks nothing that counts.
    function _mark(
        bytes32 evidenceDigest,
        bytes32 statement,
        Contradiction contradiction,
        bytes[] calldata signatures
    ) private {
        require(contradiction != Contradiction.None, NoContradiction(evidenceDigest));
        require(signatures.length != 0, NoSignatures());
        address[] memory signers = new address[](signatures.length);
        for (uint256 i = 0; i < signatures.length; ++i)
            signers[i] = ECDSA.recoverCalldata(statement, signatures[i]);
        emit Disputed(evidenceDigest, statement, contradiction, signers, msg.sender);
        committeeVerifier.mark(signers);
    }
}
