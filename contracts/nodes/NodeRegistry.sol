// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

import {INodeRegistry, Node} from "../interfaces/INodeRegistry.sol";
import {IProofVerifier} from "../interfaces/IProofVerifier.sol";
import {ProofSystem, TcbStatus, Verdict} from "../interfaces/Types.sol";
import {VerifierSet} from "../lib/VerifierSet.sol";

/// @title NodeRegistry
contract NodeRegistry is INodeRegistry, VerifierSet, EIP712 {
    /// @notice Node evidence older than this many blocks is refused.
    uint256 public constant MAX_EVIDENCE_AGE_BLOCKS = 256;
    /// @notice A registration lasts at most this long, however long its collateral does.
    uint40 public constant MAX_VALIDITY = 30 days;
    /// @notice Anyone may retire a node that has been expired for this long.
    uint40 public constant RETIRE_AFTER = 30 days;

    bytes32 private constant ENTRY_TYPEHASH = keccak256(
        "NodeEntry(address operator,bytes32 platformId,bytes32 evidenceDigest)"
    );

    /// @notice The most keys of one platform that are not retired: one machine cannot pose as a fleet.
    uint32 public immutable maxKeysPerPlatform;

    uint32 private _count;
    mapping(uint32 number => Node entry) private _entries;
    mapping(address key => uint32 number) private _numberOfKey;
    mapping(bytes32 platformId => uint32 keys) private _keysOnPlatform;

    constructor(
        address owner,
        uint32 maxKeysPerPlatform_,
        IProofVerifier[] memory verifiers
    ) EIP712("Charter NodeRegistry", "1") Ownable(owner) VerifierSet(verifiers) {
        maxKeysPerPlatform = maxKeysPerPlatform_;
    }

    /// @inheritdoc INodeRegistry
    function register(
        ProofSystem system,
        bytes calldata proof,
        bytes calldata operatorSignature,
        bytes calldata keySignature
    ) external returns (uint32 number) {
        (Verdict memory verdict, , ) = _proven(system, proof);
        _requireNodeVerdict(verdict, keySignature);
        require(_numberOfKey[verdict.key] == 0, KeyInUse(verdict.key, _numberOfKey[verdict.key]));
        uint32 keys = _keysOnPlatform[verdict.platformId] + 1;
        require(keys <= maxKeysPerPlatform, TooManyKeys(verdict.platformId, maxKeysPerPlatform));
        // Without the operator's consent anybody's hardware could be entered under a name that apps trust.
        require(
            SignatureChecker.isValidSignatureNow(
                verdict.subject,
                entryDigest(verdict.subject, verdict.platformId, verdict.evidenceDigest),
                operatorSignature
            ),
            BadOperatorSignature(verdict.subject)
        );

        number = ++_count;
        _numberOfKey[verdict.key] = number;
        _keysOnPlatform[verdict.platformId] = keys;
        uint40 expiresAt = _expiry(verdict.validUntil);
        _entries[number] = Node({
            operator: verdict.subject,
            platformId: verdict.platformId,
            key: verdict.key,
            kind: verdict.kind,
            status: verdict.status,
            simulated: verdict.simulated,
            retired: false,
            evidenceBlock: verdict.evidenceBlock,
            attestedAt: uint40(block.timestamp),
            expiresAt: expiresAt
        });
        emit NodeRegistered(
            number,
            verdict.platformId,
            verdict.subject,
            verdict.key,
            verdict.kind,
            verdict.status,
            verdict.simulated,
            verdict.evidenceDigest,
            verdict.evidenceBlock,
            uint40(block.timestamp),
            expiresAt,
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
        Node storage entry = _known(number);
        (Verdict memory verdict, , ) = _proven(system, proof);
        _requireNodeVerdict(verdict, keySignature);
        require(
            verdict.platformId == entry.platformId,
            PlatformChanged(entry.platformId, verdict.platformId)
        );
        require(verdict.subject == entry.operator, OperatorChanged(entry.operator, verdict.subject));
        require(verdict.key == entry.key, KeyChanged(entry.key, verdict.key));
        require(verdict.kind == entry.kind, KindChanged(entry.kind, verdict.kind));
        require(verdict.simulated == entry.simulated, SimulatedChanged(entry.simulated, verdict.simulated));
        require(
            verdict.evidenceBlock > entry.evidenceBlock,
            EvidenceNotNewer(entry.evidenceBlock, verdict.evidenceBlock)
        );
        uint40 expiresAt = _expiry(verdict.validUntil);
        emit NodeRenewed(
            number,
            entry.status,
            verdict.status,
            verdict.evidenceDigest,
            verdict.evidenceBlock,
            uint40(block.timestamp),
            entry.expiresAt,
            expiresAt,
            msg.sender
        );
        entry.status = verdict.status;
        entry.evidenceBlock = verdict.evidenceBlock;
        entry.attestedAt = uint40(block.timestamp);
        entry.expiresAt = expiresAt;
    }

    /// @inheritdoc INodeRegistry
    function retire(uint32 number) external {
        Node storage entry = _known(number);
        require(
            msg.sender == entry.operator || block.timestamp >= uint256(entry.expiresAt) + RETIRE_AFTER,
            NotOperator(entry.operator, msg.sender)
        );
        entry.retired = true;
        delete _numberOfKey[entry.key];
        --_keysOnPlatform[entry.platformId];
        emit NodeRetired(number, entry.platformId, entry.operator, msg.sender);
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc INodeRegistry
    function node(uint32 number) external view returns (Node memory) {
        require(number != 0 && number <= _count, UnknownNode(number));
        return _entries[number];
    }

    /// @inheritdoc INodeRegistry
    function numberOfKey(address key) external view returns (uint32) {
        return _numberOfKey[key];
    }

    /// @inheritdoc INodeRegistry
    function nodeCount() external view returns (uint32) {
        return _count;
    }

    /// @inheritdoc INodeRegistry
    function isActive(uint32 number) external view returns (bool) {
        Node storage entry = _entries[number];
        // An unknown node has expiresAt 0.
        return !entry.retired && entry.expiresAt > block.timestamp;
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

    function _requireNodeVerdict(Verdict memory verdict, bytes calldata keySignature) private view {
        _requireUsable(verdict, MAX_EVIDENCE_AGE_BLOCKS);
        require(verdict.composeHash == 0, UnexpectedComposeHash(verdict.composeHash));
        require(
            verdict.status != TcbStatus.Unknown && verdict.status != TcbStatus.Revoked,
            StatusNotAcceptable(verdict.status)
        );
        (address signer, , ) = ECDSA.tryRecover(
            entryDigest(verdict.subject, verdict.platformId, verdict.evidenceDigest),
            keySignature
        );
        require(signer != address(0) && signer == verdict.key, BadKeySignature(verdict.key, signer));
    }

    function _known(uint32 number) private view returns (Node storage entry) {
        require(number != 0 && number <= _count, UnknownNode(number));
        entry = _entries[number];
        require(!entry.retired, NodeIsRetired(number));
    }

    function _expiry(uint40 validUntil) private view returns (uint40) {
        uint40 limit = uint40(block.timestamp) + MAX_VALIDITY;
        return validUntil < limit ? validUntil : limit;
    }
}
