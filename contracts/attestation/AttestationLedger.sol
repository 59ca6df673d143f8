// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {IApp} from "../interfaces/IApp.sol";
import {IAppRegistry} from "../interfaces/IAppRegistry.sol";
import {IAttestationLedger, Image, Instance, Leaf} from "../interfaces/IAttestationLedger.sol";
import {ICommitteeVerifier} from "../interfaces/ICommitteeVerifier.sol";
import {INodeRegistry} from "../interfaces/INodeRegistry.sol";
import {IProofVerifier} from "../interfaces/IProofVerifier.sol";
import {
    Facts,
    ProofSystem,
    Reason,
    SettingKind,
    Standing,
    TcbStatus,
    TeeKind,
    Verdict
} from "../interfaces/Types.sol";
import {KeySignature} from "../lib/KeySignature.sol";
import {VerifierSet} from "../lib/VerifierSet.sol";
import {BatchWord} from "./BatchWord.sol";
import {Images} from "./Images.sol";
import {InstanceWord} from "./InstanceWord.sol";
import {LeafPath} from "./LeafPath.sol";

/// @title AttestationLedger
/// @dev Facts are stored once and judged again at every question, so that tightening one entry of an app's policy
/// stops exactly the instances that it concerns, in the same block.
contract AttestationLedger is IAttestationLedger, VerifierSet, Images, EIP712 {
    using InstanceWord for uint256;
    using BatchWord for uint256;

    struct Kept {
        uint256 word;
        bytes32 digest; // of the evidence; only where proofs are to be combined (InstanceWord.HAS_DIGEST)
    }

    /// @notice A proof lasts at most this long, however long its collateral does.
    uint40 public constant MAX_VALIDITY = 7 days;

    bytes32 private constant ENTRY_TYPEHASH = keccak256("InstanceEntry(address app,bytes32 evidenceDigest)");
    uint8 private constant COMMITTEE = uint8(1 << uint8(ProofSystem.Committee));

    IAppRegistry public immutable appRegistry;
    INodeRegistry public immutable nodeRegistry;

    mapping(address app => mapping(address key => Kept)) private _instances;
    /// @dev In one word (BatchWord): a claim reads it.
    mapping(bytes32 root => uint256 posted) private _batches;

    constructor(
        address owner,
        IAppRegistry appRegistry_,
        INodeRegistry nodeRegistry_,
        IProofVerifier[] memory verifiers
    ) EIP712("Charter AttestationLedger", "1") Ownable(owner) VerifierSet(verifiers) {
        appRegistry = appRegistry_;
        nodeRegistry = nodeRegistry_;
    }

    // ---------------------------------------------------------------- proofs, one by one

    /// @inheritdoc IAttestationLedger
    function attest(
        uint32 node,
        ProofSystem system,
        bool combines,
        bytes calldata proof,
        bytes calldata keySignature
    ) external {
        (Verdict memory verdict, uint32 record, uint40 until, uint8 generation) = _proven(system, proof);
        (uint32 release, uint32 maxAgeBlocks) = IApp(verdict.subject).evidenceTerms(verdict.composeHash);
        _requireUsable(verdict, maxAgeBlocks);
        _requireKey(verdict.subject, verdict.key, verdict.evidenceDigest, keySignature);
        bytes32 platformId = nodeRegistry.platformIdOf(node);
        require(platformId == verdict.platformId, PlatformMismatch(platformId, verdict.platformId));
        require(release != 0, ReleaseUnknown(verdict.composeHash));

        Image memory measured = Image(
            verdict.osImageHash,
            verdict.measurementDigest,
            verdict.pinnedMeasurementDigest,
            verdict.advisoriesDigest
        );
        uint256 word = _wordOf(verdict, release, node, _keepImage(measured), until);
        if (record != 0) word = word.withRecord(record, generation);
        if (system == ProofSystem.Committee) word = word.withCommitteeGeneration(generation);
        if (combines) word = word.withDigest();
        uint8 bit = uint8(1 << uint8(system));
        word = _enter(verdict.subject, verdict.key, word.withSystems(bit), verdict.evidenceDigest, bit);
        _emitProven(verdict.subject, verdict.key, word, system, verdict.evidenceDigest);
    }

    // ---------------------------------------------------------------- batches

    /// @inheritdoc IAttestationLedger
    function postBatch(
        bytes32 root,
        uint32 count,
        uint40 validUntil,
        uint64 minBlock,
        bytes32 blockHash,
        bytes[] calldata signatures
    ) external {
        require(root != 0 && count != 0, BadBatch(root, count));
        require(validUntil > block.timestamp, VerdictExpired(validUntil, block.timestamp));
        _requireBlock(minBlock, blockHash);
        (address verifier, uint8 generation) = _verifierAndGeneration(ProofSystem.Committee);
        require(verifier != address(0), NoVerifier(ProofSystem.Committee));
        // A batch counts once: posted again its leaves could be claimed as of a later block. Under another verifier it has
        // to be.
        uint256 known = _batches[root];
        require(known == 0 || known.generationOf() != generation, BatchKnown(root));
        ICommitteeVerifier(verifier).verifyBatch(root, count, validUntil, minBlock, blockHash, signatures);
        // Bounded here and not at each claim: who claims late or again would have a week from then on. A block of this
        // chain: its number fits.
        _batches[root] = BatchWord.pack(
            _expiry(validUntil),
            uint40(minBlock),
            uint40(block.number),
            generation
        );
        emit BatchPosted(root, count, validUntil, minBlock, blockHash, verifier, msg.sender);
    }

    /// @inheritdoc IAttestationLedger
    function claim(Leaf calldata leaf, bytes32[] calldata proof, bytes32[2] calldata keySignature) external {
        uint256 posted = _postedBatch(LeafPath.rootOf(proof, LeafPath.hashOf(leaf)));
        _claim(leaf, posted, keySignature);
    }

    /// @inheritdoc IAttestationLedger
    function claimMany(
        Leaf[] calldata leaves,
        bytes32[] calldata proof,
        bool[] calldata proofFlags,
        bytes32[2][] calldata keySignatures
    ) external {
        require(leaves.length == keySignatures.length, LengthMismatch(leaves.length, keySignatures.length));
        // Without leaves the multiproof is its own root, and says nothing.
        require(leaves.length != 0, LengthMismatch(1, 0));
        bytes32[] memory hashes = new bytes32[](leaves.length);
        for (uint256 i = 0; i < leaves.length; ++i) hashes[i] = LeafPath.hashOf(leaves[i]);
        uint256 posted = _postedBatch(MerkleProof.processMultiProofCalldata(proof, proofFlags, hashes));
        for (uint256 i = 0; i < leaves.length; ++i) _claim(leaves[i], posted, keySignatures[i]);
    }

    /// @inheritdoc IAttestationLedger
    function keepImage(Image calldata measured) external returns (uint32) {
        return _keepImage(measured);
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc IAttestationLedger
    function isLive(address app, address key) external view returns (bool) {
        return liveReason(app, key) == Reason.Allowed;
    }

    /// @inheritdoc IAttestationLedger
    function requireLive(address app, address key) external view {
        require(liveReason(app, key) == Reason.Allowed, NotLive(app, key));
    }

    /// @inheritdoc IAttestationLedger
    function liveReason(address app, address key) public view returns (Reason) {
        uint256 word = _instances[app][key].word;
        if (word == 0) return Reason.ProofMissing;
        if (word.expiresAt() <= block.timestamp) return Reason.EvidenceTooOld;
        // Entries ask no registry: whoever is no app of ours has no rules to be judged by.
        if (!appRegistry.isApp(app)) return Reason.AppNotRegistered;
        if (!nodeRegistry.isActive(word.node())) return Reason.NodeNotAllowed;
        if (word.proofSystems() & COMMITTEE != 0) {
            // What a verifier said that governance has replaced counts no more.
            (, uint8 generation) = _verifierAndGeneration(ProofSystem.Committee);
            if (word.committeeGeneration() != generation)
                word = word.withSystems(word.proofSystems() & ~COMMITTEE);
        }
        (bytes32 platformId, address operator) = nodeRegistry.platformOf(word.node());
        Facts memory facts = _factsOf(word, _imageOf(word.image()), platformId, operator);
        if (word.record() != 0) {
            (bool known, Standing memory standing) = _standing(word.record(), word.generation());
            if (!known) return Reason.ProofMissing;
            if (standing.revoked) return Reason.TcbStatusNotAllowed;
            (uint256 reviewSeconds, , ) = IApp(app).setting(SettingKind.ReviewSeconds, 0);
            if (!_holds(standing, reviewSeconds)) return Reason.EvidenceTooOld;
            facts.status = standing.status;
            facts.advisoriesDigest = standing.advisoriesDigest;
        }
        return IApp(app).judge(facts);
    }

    /// @inheritdoc IAttestationLedger
    function instance(address app, address key) external view returns (Instance memory) {
        uint256 word = _instances[app][key].word;
        return
            Instance({
                release: word.release(),
                node: word.node(),
                image: word.image(),
                kind: word.kind(),
                status: word.status(),
                simulated: word.isSet(InstanceWord.SIMULATED),
                gpu: word.isSet(InstanceWord.GPU),
                proofSystems: word.proofSystems(),
                evidenceBlock: word.evidenceBlock(),
                expiresAt: word.expiresAt(),
                record: word.record(),
                evidenceDigest: word.isSet(InstanceWord.HAS_DIGEST) ? _instances[app][key].digest : bytes32(0)
            });
    }

    /// @inheritdoc IAttestationLedger
    function image(uint32 number) external view returns (Image memory) {
        return _imageOf(number);
    }

    /// @inheritdoc IAttestationLedger
    function imageNumber(Image calldata measured) external view returns (uint32) {
        return _numberOf(measured);
    }

    /// @inheritdoc IAttestationLedger
    function batch(
        bytes32 root
    ) external view returns (uint40 validUntil, uint64 minBlock, uint64 postedBlock) {
        uint256 posted = _batches[root];
        return (posted.validUntil(), posted.minBlock(), posted.postedBlock());
    }

    /// @inheritdoc IAttestationLedger
    function entryDigest(address app, bytes32 evidenceDigest) public view returns (bytes32) {
        bytes32 typeHash = ENTRY_TYPEHASH;
        bytes32 structHash;
        // abi.encode by hand: every entry pays for it. An address has clean upper bits.
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            mstore(buffer, typeHash)
            mstore(add(buffer, 32), app)
            mstore(add(buffer, 64), evidenceDigest)
            structHash := keccak256(buffer, 96)
        }
        return _hashTypedDataV4(structHash);
    }

    /// @inheritdoc IAttestationLedger
    function packFacts(
        uint32 release,
        uint32 node,
        uint32 image_,
        TeeKind kind,
        TcbStatus status,
        uint8 flags,
        uint40 evidenceBlock,
        uint40 expiresAt
    ) external pure returns (bytes32) {
        return
            bytes32(InstanceWord.pack(release, node, image_, kind, status, flags, evidenceBlock, expiresAt));
    }

    // ---------------------------------------------------------------- entries

    /// @param posted the leaf's batch.
    function _claim(Leaf calldata leaf, uint256 posted, bytes32[2] calldata keySignature) private {
        // Each field once: every reading of an address is checked.
        (address app, address key) = (leaf.app, leaf.key);
        (uint256 word, bytes32 evidenceDigest) = (uint256(leaf.facts), leaf.evidenceDigest);
        if (!posted.admits(word)) revert BadLeaf(bytes32(word));
        if (word.isSet(InstanceWord.SIMULATED) && !_isDevelopmentChain())
            revert SimulatedOnProductionChain(block.chainid);
        bytes32 digest = entryDigest(app, evidenceDigest);
        if (!KeySignature.isOf(key, digest, keySignature[0], keySignature[1]))
            revert BadKeySignature(key, KeySignature.signerOf(digest, keySignature[0], keySignature[1]));
        uint40 until = posted.endOf(word);
        if (until <= block.timestamp) revert VerdictExpired(until, block.timestamp);
        word = word.ofCommittee(until, posted.generationOf());
        word = _enter(app, key, word, evidenceDigest, COMMITTEE);
        emit InstanceClaimed(app, key, bytes32(word), evidenceDigest, msg.sender);
    }

    /// @param word by `bit` alone. @return word as it is kept.
    function _enter(
        address app,
        address key,
        uint256 word,
        bytes32 evidenceDigest,
        uint8 bit
    ) private returns (uint256) {
        Kept storage kept = _instances[app][key];
        uint256 known = kept.word;
        if (known != 0 && word.evidenceBlock() <= known.evidenceBlock())
            word = _combine(known, kept, word, evidenceDigest, bit);
        kept.word = word;
        if (word.isSet(InstanceWord.HAS_DIGEST)) kept.digest = evidenceDigest;
        return word;
    }

    /// @dev What is known of this key, and what is said now of evidence that is not newer. Proofs combine only over the same
    /// evidence, release, node, image and status; newer evidence starts afresh, older is refused.
    function _combine(
        uint256 known,
        Kept storage kept,
        uint256 word,
        bytes32 evidenceDigest,
        uint8 bit
    ) private view returns (uint256) {
        (uint40 knownBlock, uint40 evidenceBlock) = (known.evidenceBlock(), word.evidenceBlock());
        require(evidenceBlock == knownBlock, EvidenceNotNewer(knownBlock, evidenceBlock));
        // A batch under an earlier verifier can be claimed again, and must not take the place of what a later one said.
        require(
            bit != COMMITTEE || word.committeeGeneration() >= known.committeeGeneration(),
            EvidenceNotNewer(knownBlock, evidenceBlock)
        );
        // Judged again, or by another system: what was measured and where it runs cannot have changed.
        require(known.isSameEvidence(word), FactsChanged(evidenceDigest));
        if (!known.isSet(InstanceWord.HAS_DIGEST)) {
            // It stands alone: only the system that gave it may give it again.
            require(known.proofSystems() == bit, EvidenceNotNewer(knownBlock, evidenceBlock));
            return word;
        }
        require(kept.digest == evidenceDigest, EvidenceNotNewer(knownBlock, evidenceBlock));
        word = word.withDigest();
        // Another status is another judgement: systems that gave the old one do not vouch for the new one.
        if (known.status() != word.status()) return word;
        uint8 others = known.proofSystems() & ~bit;
        if (others != 0 && known.expiresAt() < word.expiresAt()) word = word.withExpiry(known.expiresAt());
        if (bit != COMMITTEE) word = word.withCommitteeGeneration(known.committeeGeneration());
        if (word.record() == 0 && known.record() != 0 && bit & (1 << uint8(ProofSystem.Direct)) == 0)
            word = word.withRecord(known.record(), known.generation());
        return word.withSystems(known.proofSystems() | bit);
    }

    function _wordOf(
        Verdict memory verdict,
        uint32 release,
        uint32 node,
        uint32 image_,
        uint40 until
    ) private view returns (uint256) {
        uint8 flags =
            (verdict.simulated ? InstanceWord.SIMULATED : 0) |
                (verdict.gpuDigest != 0 ? InstanceWord.GPU : 0);
        return
            InstanceWord.pack(
                release,
                node,
                image_,
                verdict.kind,
                verdict.status,
                flags,
                SafeCast.toUint40(verdict.evidenceBlock),
                _expiry(until)
            );
    }

    function _factsOf(
        uint256 word,
        Image memory measured,
        bytes32 platformId,
        address operator
    ) private pure returns (Facts memory) {
        return
            Facts({
                release: word.release(),
                platformId: platformId,
                operator: operator,
                osImageHash: measured.osImageHash,
                measurementDigest: measured.measurementDigest,
                pinnedMeasurementDigest: measured.pinnedMeasurementDigest,
                kind: word.kind(),
                status: word.status(),
                advisoriesDigest: measured.advisoriesDigest,
                gpu: word.isSet(InstanceWord.GPU),
                proofSystems: word.proofSystems(),
                simulated: word.isSet(InstanceWord.SIMULATED)
            });
    }

    function _emitProven(
        address app,
        address key,
        uint256 word,
        ProofSystem system,
        bytes32 evidenceDigest
    ) private {
        emit InstanceProven(
            app,
            key,
            word.node(),
            word.release(),
            word.image(),
            word.kind(),
            word.status(),
            system,
            word.proofSystems(),
            word.isSet(InstanceWord.SIMULATED),
            word.isSet(InstanceWord.GPU),
            word.record(),
            evidenceDigest,
            word.evidenceBlock(),
            word.expiresAt(),
            msg.sender
        );
    }

    // ---------------------------------------------------------------- checks

    /// @dev The key itself wants to be entered: evidence that names somebody's key is not that somebody's consent.
    function _requireKey(
        address app,
        address key,
        bytes32 evidenceDigest,
        bytes calldata keySignature
    ) private view {
        bytes32 digest = entryDigest(app, evidenceDigest);
        if (!KeySignature.isOf(key, digest, keySignature))
            revert BadKeySignature(key, KeySignature.signerOf(digest, keySignature));
    }

    function _postedBatch(bytes32 root) private view returns (uint256 posted) {
        posted = _batches[root];
        if (posted == 0) revert UnknownBatch(root);
    }

    function _expiry(uint40 until) private view returns (uint40) {
        unchecked {
            // Seconds of now are far from 40 bits, and a week more is, too.
            uint40 limit = uint40(block.timestamp) + MAX_VALIDITY;
            return until < limit ? until : limit;
        }
    }
}
