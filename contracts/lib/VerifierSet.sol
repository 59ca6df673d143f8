// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";

import {IProofVerifier} from "../interfaces/IProofVerifier.sol";
import {IVerdictConsumer} from "../interfaces/IVerdictConsumer.sol";
import {ProofSystem, Standing, Verdict} from "../interfaces/Types.sol";
import {DevelopmentChain} from "./DevelopmentChain.sol";
import {EvidenceBlocks} from "./EvidenceBlocks.sol";

/// @title VerifierSet: what NodeRegistry and AttestationLedger ask of every verdict before they use it, and of the record
/// that it rests on whenever they use it again
abstract contract VerifierSet is IVerdictConsumer, Ownable2Step {
    struct Seat {
        address verifier;
        uint8 generation; // rises with every change: records of an earlier verifier count no more
    }

    mapping(ProofSystem system => Seat seat) private _seats;

    /// @dev The first verifiers come with construction, so that the owner can be the Timelock from the first block.
    constructor(IProofVerifier[] memory verifiers) {
        for (uint256 i = 0; i < verifiers.length; ++i) {
            _setVerifier(verifiers[i].proofSystem(), address(verifiers[i]));
        }
    }

    /// @inheritdoc IVerdictConsumer
    function setVerifier(ProofSystem system, address verifier) external onlyOwner {
        _setVerifier(system, verifier);
    }

    /// @inheritdoc IVerdictConsumer
    function verifierOf(ProofSystem system) external view returns (address) {
        return _seats[system].verifier;
    }

    /// @dev What `system` proves. Reverts unless it does; there is no other way to a verdict.
    /// `generation`: of the verifier, to be kept with what it proved.
    function _proven(
        ProofSystem system,
        bytes calldata proof
    ) internal returns (Verdict memory verdict, uint32 record, uint40 until, uint8 generation) {
        Seat memory seat = _seats[system];
        require(seat.verifier != address(0), NoVerifier(system));
        (verdict, record, until) = IProofVerifier(seat.verifier).verify(proof);
        // Only Direct keeps records; those of anybody else would be asked of the wrong contract.
        require(record == 0 || system == ProofSystem.Direct, UnexpectedRecord(system, record));
        generation = seat.generation;
    }

    function _verifierAndGeneration(
        ProofSystem system
    ) internal view returns (address verifier, uint8 generation) {
        Seat memory seat = _seats[system];
        return (seat.verifier, seat.generation);
    }

    function _isDevelopmentChain() internal view returns (bool) {
        return DevelopmentChain.isOne();
    }

    /// @dev Consumer, time and block. Reverts unless all hold: whatever proved the verdict, this contract looks itself.
    /// @param maxAgeBlocks how old the evidence may be.
    function _requireUsable(Verdict memory verdict, uint256 maxAgeBlocks) internal view {
        require(verdict.consumer == address(this), WrongConsumer(address(this), verdict.consumer));
        require(!verdict.simulated || DevelopmentChain.isOne(), SimulatedOnProductionChain(block.chainid));
        require(verdict.validUntil > block.timestamp, VerdictExpired(verdict.validUntil, block.timestamp));
        require(
            block.number <= uint256(verdict.evidenceBlock) + maxAgeBlocks,
            EvidenceTooOld(verdict.evidenceBlock, block.number, maxAgeBlocks)
        );
        _requireBlock(verdict.evidenceBlock, verdict.evidenceBlockHash);
    }

    /// @dev This block stands in this chain, and is young enough that the chain still knows.
    function _requireBlock(uint64 number, bytes32 blockHash) internal view {
        bytes32 known = EvidenceBlocks.hashOf(number);
        require(known != 0, EvidenceBlockUnknown(number));
        require(known == blockHash, EvidenceBlockMismatch(number, known, blockHash));
    }

    /// @dev Today's standing of a record. `known` is false for a record of an earlier verifier, and where it fails:
    /// what cannot be asked denies.
    function _standing(
        uint32 record,
        uint8 generation
    ) internal view returns (bool known, Standing memory standing) {
        Seat memory seat = _seats[ProofSystem.Direct];
        if (seat.verifier == address(0) || seat.generation != generation) return (false, standing);
        try IProofVerifier(seat.verifier).standing(record) returns (Standing memory answer) {
            return (true, answer);
        } catch {
            return (false, standing);
        }
    }

    /// @dev Collateral of now holds, and does not refuse; a stale judgement counts for `reviewSeconds`.
    function _holds(Standing memory standing, uint256 reviewSeconds) internal view returns (bool) {
        if (standing.revoked || standing.validUntil <= block.timestamp) return false;
        return standing.staleSince == 0 || block.timestamp < uint256(standing.staleSince) + reviewSeconds;
    }

    function _setVerifier(ProofSystem system, address verifier) private {
        require(system != ProofSystem.None, NoVerifier(system));
        if (verifier != address(0)) {
            ProofSystem actual = IProofVerifier(verifier).proofSystem();
            require(actual == system, VerifierMismatch(system, actual));
        }
        Seat memory old = _seats[system];
        // Checked: after 255 changes there is no further one, rather than a generation that returns.
        _seats[system] = Seat(verifier, old.generation + 1);
        emit VerifierChanged(system, old.verifier, verifier, msg.sender);
    }
}
