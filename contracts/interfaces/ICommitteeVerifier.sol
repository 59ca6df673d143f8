// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IProofVerifier} from "./IProofVerifier.sol";
import {Verdict} from "./Types.sol";

/// @title CommitteeVerifier: M-of-N EIP-712 verdicts
/// @notice EIP-712 domain: name "Charter CommitteeVerifier", version "1", this chain, this contract.
/// `proof` = abi.encode(Verdict verdict, bytes[] signatures): 65-byte ECDSA signatures, recovered signers ascending.
interface ICommitteeVerifier is IProofVerifier {
    /// @notice Whole new membership; the first one is emitted at construction with no old members.
    event CommitteeChanged(
        address[] oldMembers,
        uint8 oldThreshold,
        address[] newMembers,
        uint8 newThreshold,
        uint40 expiresAt,
        address actor
    );

    error BadThreshold(uint256 members, uint8 threshold);
    error WrongConsumer(address expected, address actual);
    error BadMember(address member);
    error NotEnoughSignatures(uint256 required, uint256 actual);
    error NotAMember(address signer);
    error SignersNotAscending(address previous, address signer);
    error CommitteeExpired(uint40 expiresAt, uint256 timestamp);

    /// @notice Replaces the committee. Owner (the Timelock) only. Members ascending, without duplicates.
    /// @param expiresAt seconds after which its signatures no longer count.
    function setCommittee(address[] calldata members, uint8 threshold, uint40 expiresAt) external;
    function committee() external view returns (address[] memory members, uint8 threshold, uint40 expiresAt);
    /// @notice Reverts unless enough members signed this batch for the calling ledger: EIP-712
    /// Batch(address ledger,bytes32 root,uint32 count,uint40 validUntil,uint64 minBlock,bytes32 blockHash).
    /// @param signatures 65-byte ECDSA, recovered signers strictly ascending.
    function verifyBatch(
        bytes32 root,
        uint32 count,
        uint40 validUntil,
        uint64 minBlock,
        bytes32 blockHash,
        bytes[] calldata signatures
    ) external view;
    /// @notice EIP-712 digest that a member signs.
    function verdictDigest(Verdict calldata verdict) external view returns (bytes32);
}
