// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IProofVerifier} from "./IProofVerifier.sol";
import {Verdict} from "./Types.sol";

/// @notice Who signs, from when to when.
/// @param members ascending. Without a ledger each is a key that signs (the genesis set). With one each is an operator:
/// the key of a live instance of `app`, on a node of that operator, signs for its seat, while no other operator has a node
/// on the same platform.
/// @param effectiveAt first second in which their signatures count.
/// @param expiresAt first second in which they no longer do.
/// @param ledger AttestationLedger that knows the instances of `app`, zero while members are keys.
/// @param app the relayer's own app; it must require Direct.
struct Committee {
    address[] members;
    uint8 threshold;
    uint40 effectiveAt;
    uint40 expiresAt;
    address ledger;
    address app;
}

/// @title CommitteeVerifier: M-of-N EIP-712 verdicts
/// @notice EIP-712 domain: name "Charter CommitteeVerifier", version "1", this chain, this contract.
/// `proof` = abi.encode(Verdict verdict, bytes[] signatures): 65-byte ECDSA signatures over Verdict, of exactly one signer
/// per seat, ordered by strictly ascending seat. A seat is a member: the signer itself, or its operator.
/// A threshold is more than half of the members, so that two disjoint groups cannot both speak for it.
interface ICommitteeVerifier is IProofVerifier {
    /// @notice A whole committee was set, in force from `effectiveAt` on without a further transaction. The first one comes
    /// with construction, with no old members. `old…`: what is in force until then.
    event CommitteeChanged(
        address[] oldMembers,
        uint8 oldThreshold,
        address[] newMembers,
        uint8 newThreshold,
        uint40 effectiveAt,
        uint40 expiresAt,
        address ledger,
        address app,
        address actor
    );
    /// @notice The committee that would have been in force from `effectiveAt` on will not be.
    event CommitteeCancelled(address[] members, uint8 threshold, uint40 effectiveAt, address actor);
    /// @notice A signer that a dispute proved wrong, and its seat: neither counts any more, in no committee. The seat is its
    /// operator, by any app whose instances sat; the signer itself where it was an instance of none.
    event SignerMarked(address indexed signer, address indexed seat, address actor);
    event DisputesChanged(address oldDisputes, address newDisputes, address actor);

    error BadThreshold(uint256 members, uint8 threshold);
    error BadMember(address member);
    error TooManyMembers(uint256 limit, uint256 actual);
    error BadExpiry(uint40 effectiveAt, uint40 expiresAt, uint256 limitSeconds);
    error NoNotice();
    error NoticeTooLong(uint256 limitSeconds, uint256 actual);
    error CommitteePending(uint40 effectiveAt);
    error NoCommitteePending();
    error OperatorsRequired();
    error NoRelayerApp(address ledger, address app);
    error DirectNotRequired(address app);
    error NotDisputes(address expected, address actual);
    error NotEnoughSignatures(uint256 required, uint256 actual);
    error NotAMember(address signer);
    error SignerNotLive(address app, address signer);
    error PlatformShared(bytes32 platformId, address operator, address other);
    error SignerIsMarked(address signer, address seat);
    error SeatsNotAscending(address previous, address seat);
    error CommitteeExpired(uint40 expiresAt, uint256 timestamp);

    /// @notice Sets the committee from now + notice on. Owner (the Timelock) only; one at a time waits.
    /// Without `ledger` and `app` members are keys, and on production chains it lasts at most `MAX_KEYS_SECONDS`; once
    /// operators sit, keys never do again.
    function proposeCommittee(
        address[] calldata members,
        uint8 threshold,
        uint40 expiresAt,
        address ledger,
        address app
    ) external;
    /// @notice Takes back the committee that is not in force yet. Owner only.
    function cancelCommittee() external;
    /// @notice Which contract may mark signers. Owner only; zero: none.
    function setDisputes(address newDisputes) external;
    /// @notice Marks signers that a dispute proved wrong, and their operators. The disputes contract only; for good.
    function mark(address[] calldata signers) external;

    /// @notice Reverts unless the committee signed a batch for the caller as its ledger:
    /// Batch(address ledger,bytes32 root,uint32 count,uint40 validUntil,uint64 minBlock,bytes32 blockHash).
    /// What the batch says of blocks and time is the ledger's to check.
    function verifyBatch(
        bytes32 root,
        uint32 count,
        uint40 validUntil,
        uint64 minBlock,
        bytes32 blockHash,
        bytes[] calldata signatures
    ) external view;

    /// @notice The committee in force.
    function committee() external view returns (Committee memory);
    /// @notice The committee that will be; `effectiveAt` 0 when there is none.
    function nextCommittee() external view returns (Committee memory);
    /// @notice Seat that `signer` signs for now. Reverts where its signature does not count.
    function seatOf(address signer) external view returns (address seat);
    /// @notice Whether a dispute marked this signer or operator.
    function isMarked(address account) external view returns (bool);
    /// @notice The contract that may mark signers; zero: none.
    function disputes() external view returns (address);
    /// @notice Seconds between a proposal and its effect.
    function noticeSeconds() external view returns (uint32);
    /// @notice EIP-712 digest that a member signs.
    function verdictDigest(Verdict calldata verdict) external view returns (bytes32);
    /// @notice EIP-712 digest of a batch that a member signs.
    function batchDigest(
        address ledger,
        bytes32 root,
        uint32 count,
        uint40 validUntil,
        uint64 minBlock,
        bytes32 blockHash
    ) external view returns (bytes32);
}
