// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

import {ICommitteeVerifier} from "../../interfaces/ICommitteeVerifier.sol";
import {IProofVerifier} from "../../interfaces/IProofVerifier.sol";
import {IVerdictConsumer} from "../../interfaces/IVerdictConsumer.sol";
import {ProofSystem, Standing, Verdict} from "../../interfaces/Types.sol";
import {DevelopmentChain} from "../../lib/DevelopmentChain.sol";
import {CommitteeDigests} from "./CommitteeDigests.sol";
import {CommitteeSeats} from "./CommitteeSeats.sol";

/// @title CommitteeVerifier
/// @dev It keeps nothing of a verdict: what a committee signed counts until it expires. Only a Direct proof is asked again
/// at each use (`standing`).
contract CommitteeVerifier is CommitteeDigests, CommitteeSeats {
    error SimulatedOnProductionChain(uint256 chainId);

    constructor(
        address owner,
        address[] memory members,
        uint8 threshold,
        uint40 expiresAt,
        uint32 noticeSeconds_
    )
        EIP712("Charter CommitteeVerifier", "1")
        Ownable(owner)
        CommitteeSeats(noticeSeconds_, members, threshold, expiresAt)
    {}

    /// @inheritdoc IProofVerifier
    function verify(
        bytes calldata proof
    ) external view returns (Verdict memory verdict, uint32 record, uint40 until) {
        bytes[] memory signatures;
        (verdict, signatures) = abi.decode(proof, (Verdict, bytes[]));
        require(!verdict.simulated || DevelopmentChain.isOne(), SimulatedOnProductionChain(block.chainid));
        require(verdict.consumer == msg.sender, IVerdictConsumer.WrongConsumer(msg.sender, verdict.consumer));
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
        _requireSigned(batchDigest(msg.sender, root, count, validUntil, minBlock, blockHash), signatures);
    }

    /// @inheritdoc IProofVerifier
    function standing(uint32 record) external pure returns (Standing memory) {
        revert UnknownRecord(record);
    }

    /// @inheritdoc IProofVerifier
    function proofSystem() external pure returns (ProofSystem) {
        return ProofSystem.Committee;
    }

    /// @dev Every signature that is given must count, and there must be enough of them.
    function _requireSigned(bytes32 digest, bytes[] memory signatures) private view {
        Term memory term = _requireTerm();
        Relayer memory relayer = _relayerOf(term);
        require(signatures.length >= term.threshold, NotEnoughSignatures(term.threshold, signatures.length));
        address previous = address(0);
        for (uint256 i = 0; i < signatures.length; ++i) {
            address seat = _requireSeat(term, relayer, ECDSA.recover(digest, signatures[i]));
            require(seat > previous, SeatsNotAscending(previous, seat));
            previous = seat;
        }
    }
}
