// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {INodeRegistry, Node} from "../interfaces/INodeRegistry.sol";
import {IProofVerifier} from "../interfaces/IProofVerifier.sol";
import {ProofSystem, Standing, TcbStatus, TeeKind, Verdict} from "../interfaces/Types.sol";
import {VerifierSet} from "../lib/VerifierSet.sol";

/// @title NodeRegistry
contract NodeRegistry is INodeRegistry, VerifierSet, EIP712 {
    /// @dev Three slots: a registration pays for every one of them.
    struct Entry {
        address operator;
        uint40 attestedAt;
        uint40 expiresAt;
        TeeKind kind;
        uint8 flags;
        bytes32 platformId;
        address key;
        uint40 evidenceBlock;
        uint32 record;
        uint8 generation; // of the verifier that keeps the record
        TcbStatus status;
    }

    /// @notice Node evidence older than this many blocks is refused.
    uint256 public constant MAX_EVIDENCE_AGE_BLOCKS = 256;
    /// @notice A registration lasts at most this long, however long its collateral does.
    uint40 public constant MAX_VALIDITY = 30 days;
    /// @notice Anyone may retire a node that has been expired for this long.
    uint40 public constant RETIRE_AFTER = 30 days;
    /// @notice After collateral changed, a node counts for this long until its record is judged anew.
    uint256 public constant REVIEW_SECONDS = 7 days;

    bytes32 private constant ENTRY_TYPEHASH = keccak256(
        "NodeEntry(address operator,bytes32 platformId,bytes32 evidenceDigest)"
    );
    uint8 private constant SIMULATED = 1;
    uint8 private constant RETIRED = 2;
    uint8 private constant INVALIDATED = 4;
    /// @dev Numbers of 32 bits in one slot.
    uint32 private constant MAX_KEYS = 8;

    /// @notice The most keys of one platform that are not retired: one machine cannot pose as a fleet.
    uint32 public immutable maxKeysPerPlatform;

    uint32 private _count;
    bool private _needsListed;
    mapping(uint32 number => Entry entry) private _entries;
    /// @dev Numbers of the nodes that are not retired, the first in the low bits, without gaps.
    mapping(bytes32 platformId => uint256 numbers) private _platforms;
    mapping(address operator => bool listed) private _listed;

    constructor(
        address owner,
        uint32 maxKeysPerPlatform_,
        IProofVerifier[] memory verifiers
    ) EIP712("Charter NodeRegistry", "1") Ownable(owner) VerifierSet(verifiers) {
        require(
            maxKeysPerPlatform_ != 0 && maxKeysPerPlatform_ <= MAX_KEYS,
            BadKeyLimit(MAX_KEYS, maxKeysPerPlatform_)
        );
        maxKeysPerPlatform = maxKeysPerPlatform_;
    }

    /// @inheritdoc INodeRegistry
    function register(
        ProofSystem system,
        bytes calldata proof,
        bytes calldata operatorSignature,
        bytes calldata keySignature
    ) external returns (uint32 number) {
        (Verdict memory verdict, uint32 record, uint40 until, uint8 generation) = _proven(system, proof);
        bytes32 digest = _requireNodeVerdict(verdict, keySignature);
        // Without the operator's consent anybody's hardware could be entered under a name that apps trust.
        require(
            (msg.sender == verdict.subject && operatorSignature.length == 0) ||
                SignatureChecker.isValidSignatureNow(verdict.subject, digest, operatorSignature),
            BadOperatorSignature(verdict.subject)
        );
        require(!_needsListed || _listed[verdict.subject], OperatorNotListed(verdict.subject));

        number = ++_count;
        _addToPlatform(verdict.platformId, verdict.key, number);
        Entry memory entry = Entry({
            operator: verdict.subject,
            attestedAt: uint40(block.timestamp),
            expiresAt: _expiry(until),
            kind: verdict.kind,
            flags: verdict.simulated ? SIMULATED : 0,
            platformId: verdict.platformId,
            key: verdict.key,
            evidenceBlock: SafeCast.toUint40(verdict.evidenceBlock),
            record: record,
            generation: generation,
            status: verdict.status
        });
        _entries[number] = entry;
        emit NodeRegistered(
            number,
            verdict.platformId,
            verdict.subject,
            verdict.key,
            verdict.kind,
            verdict.status,
            verdict.simulated,
            record,
            verdict.evidenceDigest,
            verdict.evidenceBlock,
            entry.attestedAt,
            entry.expiresAt,
            msg.sender
        );
    }

    /// @inheritdoc INodeRegistry
    function renew(
        uint32 number,
        ProofSystem system,
        bytes calldata proof,
        bytes calldata keySignature
    ) external {
        Entry memory entry = _known(number);
        (Verdict memory verdict, uint32 record, uint40 until, uint8 generation) = _proven(system, proof);
        _requireNodeVerdict(verdict, keySignature);
        _requireSameNode(entry, verdict);
        require(!_needsListed || _listed[entry.operator], OperatorNotListed(entry.operator));
        (TcbStatus oldStatus, uint40 oldExpiresAt) = (entry.status, entry.expiresAt);
        entry.status = verdict.status;
        entry.evidenceBlock = SafeCast.toUint40(verdict.evidenceBlock);
        entry.attestedAt = uint40(block.timestamp);
        entry.expiresAt = _expiry(until);
        entry.flags &= ~INVALIDATED;
        entry.record = record;
        entry.generation = generation;
        _entries[number] = entry;
        emit NodeRenewed(
            number,
            oldStatus,
            verdict.status,
            record,
            verdict.evidenceDigest,
            verdict.evidenceBlock,
            entry.attestedAt,
            oldExpiresAt,
            entry.expiresAt,
            msg.sender
        );
    }

    /// @inheritdoc INodeRegistry
    function retire(uint32 number) external {
        Entry memory entry = _known(number);
        require(
            msg.sender == entry.operator || block.timestamp >= uint256(entry.expiresAt) + RETIRE_AFTER,
            NotOperator(entry.operator, msg.sender)
        );
        _entries[number].flags = entry.flags | RETIRED;
        _removeFromPlatform(entry.platformId, number);
        emit NodeRetired(number, entry.platformId, entry.operator, msg.sender);
    }

    /// @inheritdoc INodeRegistry
    function invalidate(uint32 number) external {
        Entry memory entry = _known(number);
        require(entry.record != 0, NodeHasNoRecord(number));
        (bool known, Standing memory standing) = _standing(entry.record, entry.generation);
        require(
            known && standing.staleSince == 0 && standing.validUntil > block.timestamp,
            CollateralNotCurrent(standing.validUntil, standing.staleSince)
        );
        require(!_isAcceptable(standing), NodeStillValid(number, standing.status));
        _entries[number].flags = entry.flags | INVALIDATED;
        emit NodeInvalidated(number, entry.record, standing.status, msg.sender);
    }

    /// @inheritdoc INodeRegistry
    function requireListedOperators(bool required) external onlyOwner {
        emit OperatorListChanged(_needsListed, required, msg.sender);
        _needsListed = required;
    }

    /// @inheritdoc INodeRegistry
    function listOperators(address[] calldata operators, bool listed) external onlyOwner {
        for (uint256 i = 0; i < operators.length; ++i) {
            if (_listed[operators[i]] == listed) continue;
            _listed[operators[i]] = listed;
            emit OperatorListed(operators[i], listed, msg.sender);
        }
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc INodeRegistry
    function node(uint32 number) external view returns (Node memory) {
        Entry memory entry = _entryOf(number);
        return
            Node({
                operator: entry.operator,
                platformId: entry.platformId,
                key: entry.key,
                kind: entry.kind,
                status: entry.status,
                simulated: entry.flags & SIMULATED != 0,
                retired: entry.flags & RETIRED != 0,
                invalidated: entry.flags & INVALIDATED != 0,
                evidenceBlock: entry.evidenceBlock,
                attestedAt: entry.attestedAt,
                expiresAt: entry.expiresAt,
                record: entry.record
            });
    }

    /// @inheritdoc INodeRegistry
    function nodesOn(bytes32 platformId) external view returns (uint32[] memory numbers) {
        uint256 list = _platforms[platformId];
        uint256 length = 0;
        while (length < MAX_KEYS && list >> (32 * length) != 0) ++length;
        numbers = new uint32[](length);
        for (uint256 i = 0; i < length; ++i) numbers[i] = uint32(list >> (32 * i));
    }

    /// @inheritdoc INodeRegistry
    function nodeCount() external view returns (uint32) {
        return _count;
    }

    /// @inheritdoc INodeRegistry
    function isOperatorListed(address operator) external view returns (bool) {
        return _listed[operator];
    }

    /// @inheritdoc INodeRegistry
    function isActive(uint32 number) public view returns (bool) {
        Entry storage entry = _entries[number];
        // An unknown node has expiresAt 0.
        if (entry.flags & (RETIRED | INVALIDATED) != 0 || entry.expiresAt <= block.timestamp) return false;
        uint32 record = entry.record;
        if (record == 0) return true;
        (bool known, Standing memory standing) = _standing(record, entry.generation);
        return known && _isAcceptable(standing) && _holds(standing, REVIEW_SECONDS);
    }

    /// @inheritdoc INodeRegistry
    function platformIdOf(uint32 number) external view returns (bytes32 platformId) {
        platformId = _entries[number].platformId;
        // No registered platform's id, which is a hash, is zero.
        require(platformId != 0, UnknownNode(number));
    }

    /// @inheritdoc INodeRegistry
    function platformOf(uint32 number) external view returns (bytes32 platformId, address operator) {
        require(number != 0 && number <= _count, UnknownNode(number));
        return (_entries[number].platformId, _entries[number].operator);
    }

    /// @inheritdoc INodeRegistry
    function entryDigest(
        address operator,
        bytes32 platformId,
        bytes32 evidenceDigest
    ) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(ENTRY_TYPEHASH, operator, platformId, evidenceDigest)));
    }

    // ---------------------------------------------------------------- platforms

    /// @dev A key stands once on a platform, and no platform has more keys than allowed.
    function _addToPlatform(bytes32 platformId, address key, uint32 number) private {
        uint256 list = _platforms[platformId];
        uint256 length = 0;
        for (; length < MAX_KEYS; ++length) {
            uint32 other = uint32(list >> (32 * length));
            if (other == 0) break;
            require(_entries[other].key != key, KeyInUse(key, other));
        }
        require(length < maxKeysPerPlatform, TooManyKeys(platformId, maxKeysPerPlatform));
        _platforms[platformId] = list | (uint256(number) << (32 * length));
    }

    function _removeFromPlatform(bytes32 platformId, uint32 number) private {
        uint256 list = _platforms[platformId];
        uint256 rest = 0;
        uint256 length = 0;
        for (uint256 i = 0; i < MAX_KEYS; ++i) {
            uint256 other = uint32(list >> (32 * i));
            if (other == 0 || other == number) continue;
            rest |= other << (32 * length++);
        }
        _platforms[platformId] = rest;
    }

    // ---------------------------------------------------------------- checks

    /// @return digest what operator and key have signed.
    function _requireNodeVerdict(
        Verdict memory verdict,
        bytes calldata keySignature
    ) private view returns (bytes32 digest) {
        _requireUsable(verdict, MAX_EVIDENCE_AGE_BLOCKS);
        require(verdict.platformId != 0, UnknownPlatform());
        require(verdict.composeHash == 0, UnexpectedComposeHash(verdict.composeHash));
        require(
            verdict.status != TcbStatus.Unknown && verdict.status != TcbStatus.Revoked,
            StatusNotAcceptable(verdict.status)
        );
        digest = entryDigest(verdict.subject, verdict.platformId, verdict.evidenceDigest);
        (address signer, , ) = ECDSA.tryRecover(digest, keySignature);
        require(signer != address(0) && signer == verdict.key, BadKeySignature(verdict.key, signer));
    }

    function _requireSameNode(Entry memory entry, Verdict memory verdict) private pure {
        require(
            verdict.platformId == entry.platformId,
            PlatformChanged(entry.platformId, verdict.platformId)
        );
        require(verdict.subject == entry.operator, OperatorChanged(entry.operator, verdict.subject));
        require(verdict.key == entry.key, KeyChanged(entry.key, verdict.key));
        require(verdict.kind == entry.kind, KindChanged(entry.kind, verdict.kind));
        bool simulated = entry.flags & SIMULATED != 0;
        require(verdict.simulated == simulated, SimulatedChanged(simulated, verdict.simulated));
        require(
            verdict.evidenceBlock > entry.evidenceBlock,
            EvidenceNotNewer(entry.evidenceBlock, verdict.evidenceBlock)
        );
    }

    function _isAcceptable(Standing memory standing) private pure returns (bool) {
        return
            !standing.revoked && standing.status != TcbStatus.Unknown && standing.status != TcbStatus.Revoked;
    }

    function _entryOf(uint32 number) private view returns (Entry memory) {
        require(number != 0 && number <= _count, UnknownNode(number));
        return _entries[number];
    }

    function _known(uint32 number) private view returns (Entry memory entry) {
        entry = _entryOf(number);
        require(entry.flags & RETIRED == 0, NodeIsRetired(number));
    }

    function _expiry(uint40 until) private view returns (uint40) {
        uint40 limit = uint40(block.timestamp) + MAX_VALIDITY;
        return until < limit ? until : limit;
    }
}
