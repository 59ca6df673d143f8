// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {INodeRegistry, Node} from "../interfaces/INodeRegistry.sol";
import {IProofVerifier} from "../interfaces/IProofVerifier.sol";
import {ProofSystem, Standing, TcbStatus, Verdict} from "../interfaces/Types.sol";
import {KeySignature} from "../lib/KeySignature.sol";
import {VerifierSet} from "../lib/VerifierSet.sol";
import {Entry, NodePlaces} from "./NodePlaces.sol";

/// @title NodeRegistry
contract NodeRegistry is NodePlaces, VerifierSet, EIP712 {
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
    mapping(address operator => bool listed) private _listed;

    constructor(
        address owner,
        uint32 maxKeysPerPlatform_,
        IProofVerifier[] memory verifiers
    )
        EIP712("Charter NodeRegistry", "1")
        Ownable(owner)
        VerifierSet(verifiers)
        NodePlaces(maxKeysPerPlatform_)
    {}

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
                _isConsent(verdict.subject, digest, operatorSignature),
            BadOperatorSignature(verdict.subject)
        );
        require(!_needsListed || _listed[verdict.subject], OperatorNotListed(verdict.subject));

        Entry memory entry = Entry({
            operator: verdict.subject,
            attestedAt: uint40(block.timestamp),
            validSeconds: _validSeconds(until),
            kind: verdict.kind,
            status: verdict.status,
            flags: verdict.simulated ? SIMULATED : 0,
            generation: generation,
            key: verdict.key,
            record: record,
            number: 0, // follows
            evidenceBlock: SafeCast.toUint40(verdict.evidenceBlock)
        });
        number = _keep(verdict.platformId, entry);
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
            _expiryOf(entry),
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
        Entry storage kept = _known(number);
        Entry memory entry = kept;
        (Verdict memory verdict, uint32 record, uint40 until, uint8 generation) = _proven(system, proof);
        _requireNodeVerdict(verdict, keySignature);
        bytes32 platformId = platformIdOf(number);
        require(verdict.platformId == platformId, PlatformChanged(platformId, verdict.platformId));
        _requireSameNode(entry, verdict);
        require(!_needsListed || _listed[entry.operator], OperatorNotListed(entry.operator));
        (TcbStatus oldStatus, uint40 oldExpiresAt) = (entry.status, _expiryOf(entry));
        kept.status = verdict.status;
        kept.evidenceBlock = SafeCast.toUint40(verdict.evidenceBlock);
        kept.attestedAt = uint40(block.timestamp);
        kept.validSeconds = _validSeconds(until);
        kept.flags = entry.flags & ~INVALIDATED;
        kept.record = record;
        kept.generation = generation;
        emit NodeRenewed(
            number,
            oldStatus,
            verdict.status,
            record,
            verdict.evidenceDigest,
            verdict.evidenceBlock,
            uint40(block.timestamp),
            oldExpiresAt,
            _expiryOf(kept),
            msg.sender
        );
    }

    /// @inheritdoc INodeRegistry
    function retire(uint32 number) external {
        Entry storage entry = _known(number);
        require(
            msg.sender == entry.operator || block.timestamp >= uint256(_expiryOf(entry)) + RETIRE_AFTER,
            NotOperator(entry.operator, msg.sender)
        );
        entry.flags |= RETIRED;
        emit NodeRetired(number, platformIdOf(number), entry.operator, msg.sender);
    }

    /// @inheritdoc INodeRegistry
    function invalidate(uint32 number) external {
        Entry storage entry = _known(number);
        require(entry.record != 0, NodeHasNoRecord(number));
        (bool known, Standing memory standing) = _standing(entry.record, entry.generation);
        require(
            known && standing.staleSince == 0 && standing.validUntil > block.timestamp,
            CollateralNotCurrent(standing.validUntil, standing.staleSince)
        );
        require(!_isAcceptable(standing), NodeStillValid(number, standing.status));
        entry.flags |= INVALIDATED;
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
        bytes32 platformId = platformIdOf(number);
        (bool isKept, Entry storage kept) = _find(number);
        Entry memory entry = kept;
        if (!isKept) {
            delete entry;
            entry.flags = RETIRED;
        }
        return
            Node({
                operator: entry.operator,
                platformId: platformId,
                key: entry.key,
                kind: entry.kind,
                status: entry.status,
                simulated: entry.flags & SIMULATED != 0,
                retired: entry.flags & RETIRED != 0,
                invalidated: entry.flags & INVALIDATED != 0,
                evidenceBlock: entry.evidenceBlock,
                attestedAt: entry.attestedAt,
                expiresAt: _expiryOf(entry),
                record: entry.record
            });
    }

    /// @inheritdoc INodeRegistry
    function isOperatorListed(address operator) external view returns (bool) {
        return _listed[operator];
    }

    /// @inheritdoc INodeRegistry
    function isActive(uint32 number) public view returns (bool) {
        (bool isKept, Entry storage entry) = _find(number);
        if (!isKept || entry.flags & (RETIRED | INVALIDATED) != 0) return false;
        if (uint256(entry.attestedAt) + entry.validSeconds <= block.timestamp) return false;
        if (entry.flags & SIMULATED != 0 && !_isDevelopmentChain()) return false;
        uint32 record = entry.record;
        if (record == 0) return true;
        (bool known, Standing memory standing) = _standing(record, entry.generation);
        return known && _isAcceptable(standing) && _holds(standing, REVIEW_SECONDS);
    }

    /// @inheritdoc INodeRegistry
    function platformOf(uint32 number) external view returns (bytes32 platformId, address operator) {
        platformId = platformIdOf(number);
        (bool isKept, Entry storage entry) = _find(number);
        if (isKept) operator = entry.operator;
    }

    /// @inheritdoc INodeRegistry
    function entryDigest(
        address operator,
        bytes32 platformId,
        bytes32 evidenceDigest
    ) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(ENTRY_TYPEHASH, operator, platformId, evidenceDigest)));
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
        if (!KeySignature.isOf(verdict.key, digest, keySignature))
            revert BadKeySignature(verdict.key, KeySignature.signerOf(digest, keySignature));
    }

    /// @dev An account's own key is asked first, as looking whether the account has code costs 2,600 gas; whose key signed
    /// could also send the transaction itself. A contract wallet has no key, and is asked.
    function _isConsent(
        address operator,
        bytes32 digest,
        bytes calldata signature
    ) private view returns (bool) {
        if (KeySignature.isOf(operator, digest, signature)) return true;
        return SignatureChecker.isValidERC1271SignatureNowCalldata(operator, digest, signature);
    }

    function _requireSameNode(Entry memory entry, Verdict memory verdict) private pure {
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

    function _known(uint32 number) private view returns (Entry storage entry) {
        platformIdOf(number);
        bool isKept;
        (isKept, entry) = _find(number);
        require(isKept && entry.flags & RETIRED == 0, NodeIsRetired(number));
    }

    /// @dev Seconds that a proof of now counts.
    function _validSeconds(uint40 until) private view returns (uint24) {
        require(until > block.timestamp, VerdictExpired(until, block.timestamp));
        uint256 left = until - block.timestamp;
        return uint24(left < MAX_VALIDITY ? left : MAX_VALIDITY);
    }

    function _expiryOf(Entry memory entry) private pure returns (uint40) {
        return entry.attestedAt + entry.validSeconds;
    }
}
