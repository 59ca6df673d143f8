// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

import {ICommitteeVerifier} from "../../interfaces/ICommitteeVerifier.sol";
import {IProofVerifier} from "../../interfaces/IProofVerifier.sol";
import {ProofSystem, Standing, Verdict} from "../../interfaces/Types.sol";
import {DevelopmentChain} from "../../lib/DevelopmentChain.sol";

/// @title CommitteeVerifier
/// @dev A threshold is more than half of the members, so that two disjoint groups cannot both speak for it.
contract CommitteeVerifier is ICommitteeVerifier, EIP712, Ownable2Step {
    bytes32 private constant VERDICT_TYPEHASH = keccak256(
        "Verdict(address consumer,address subject,address key,uint64 evidenceBlock,bytes32 evidenceBlockHash,"
        "bytes32 platformId,bytes32 composeHash,bytes32 osImageHash,bytes32 measurementDigest,"
        "bytes32 pinnedMeasurementDigest,uint8 kind,uint8 status,bytes32 advisoriesDigest,bytes32 evidenceDigest,"
        "bytes32 gpuDigest,uint40 validUntil,bool simulated)"
    );

    bytes32 private constant BATCH_TYPEHASH = keccak256(
        "Batch(address ledger,bytes32 root,uint32 count,uint40 validUntil,uint64 minBlock,bytes32 blockHash)"
    );

    address[] private _members;
    mapping(address account => bool isMember) private _isMember;
    uint8 private _threshold;
    uint40 private _expiresAt;

    error SimulatedOnProductionChain(uint256 chainId);

    constructor(
        address owner,
        address[] memory members,
        uint8 threshold,
        uint40 expiresAt
    ) EIP712("Charter CommitteeVerifier", "1") Ownable(owner) {
        _setCommittee(members, threshold, expiresAt);
    }

    /// @inheritdoc ICommitteeVerifier
    function setCommittee(address[] calldata members, uint8 threshold, uint40 expiresAt) external onlyOwner {
        _setCommittee(members, threshold, expiresAt);
    }

    /// @inheritdoc IProofVerifier
    function verify(
        bytes calldata proof
    ) external view returns (Verdict memory verdict, uint32 record, uint40 until) {
        bytes[] memory signatures;
        (verdict, signatures) = abi.decode(proof, (Verdict, bytes[]));
        require(verdict.consumer == msg.sender, WrongConsumer(msg.sender, verdict.consumer));
        require(!verdict.simulated || DevelopmentChain.isOne(), SimulatedOnProductionChain(block.chainid));
        _requireSigned(verdictDigest(verdict), signatures);
        return (verdict, 0, verdict.validUntil);
    }

    /// @inheritdoc ICommitteeVerifier
    function verifyBatch(
        bytes32 root,
        uint32 count,
        uint40 validUntil,
        uint64 minBlock,
        bytes32 blockHash,
        bytes[] calldata signatures
    ) external view {
        bytes32 batch = keccak256(
            abi.encode(BATCH_TYPEHASH, msg.sender, root, count, validUntil, minBlock, blockHash)
        );
        _requireSigned(_hashTypedDataV4(batch), signatures);
    }

    function _requireSigned(bytes32 digest, bytes[] memory signatures) private view {
        require(block.timestamp < _expiresAt, CommitteeExpired(_expiresAt, block.timestamp));
        require(signatures.length >= _threshold, NotEnoughSignatures(_threshold, signatures.length));
        address previous = address(0);
        for (uint256 i = 0; i < signatures.length; ++i) {
            address signer = ECDSA.recover(digest, signatures[i]);
            require(_isMember[signer], NotAMember(signer));
            require(signer > previous, SignersNotAscending(previous, signer));
            previous = signer;
        }
    }

    /// @inheritdoc IProofVerifier
    function standing(uint32 record) external pure returns (Standing memory) {
        revert UnknownRecord(record);
    }

    /// @inheritdoc IProofVerifier
    function proofSystem() external pure returns (ProofSystem) {
        return ProofSystem.Committee;
    }

    /// @inheritdoc ICommitteeVerifier
    function committee() external view returns (address[] memory members, uint8 threshold, uint40 expiresAt) {
        return (_members, _threshold, _expiresAt);
    }

    /// @inheritdoc ICommitteeVerifier
    function verdictDigest(Verdict memory verdict) public view returns (bytes32) {
        // Every member of Verdict is a static 32-byte word, so its ABI encoding is EIP-712's encodeData.
        return _hashTypedDataV4(keccak256(abi.encode(VERDICT_TYPEHASH, verdict)));
    }

    function _setCommittee(address[] memory members, uint8 threshold, uint40 expiresAt) private {
        require(
            threshold != 0 && threshold <= members.length && uint256(threshold) * 2 > members.length,
            BadThreshold(members.length, threshold)
        );
        address[] memory old = _members;
        for (uint256 i = 0; i < old.length; ++i) {
            _isMember[old[i]] = false;
        }
        address previous = address(0);
        for (uint256 i = 0; i < members.length; ++i) {
            require(members[i] > previous, BadMember(members[i]));
            previous = members[i];
            _isMember[previous] = true;
        }
        emit CommitteeChanged(old, _threshold, members, threshold, expiresAt, msg.sender);
        _members = members;
        _threshold = threshold;
        _expiresAt = expiresAt;
    }
}
