// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";

import {IProofVerifier} from "../interfaces/IProofVerifier.sol";
import {IVerdictConsumer} from "../interfaces/IVerdictConsumer.sol";
import {ProofSystem, Verdict} from "../interfaces/Types.sol";
import {DevelopmentChain} from "./DevelopmentChain.sol";
import {EvidenceBlocks} from "./EvidenceBlocks.sol";

/// @title VerifierSet: what NodeRegistry and AttestationLedger ask of every verdict before they use it
abstract contract VerifierSet is IVerdictConsumer, Ownable2Step {
    mapping(ProofSystem system => address verifier) private _verifiers;

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
        return _verifiers[system];
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
        bytes32 known = EvidenceBlocks.hashOf(verdict.evidenceBlock);
        require(known != 0, EvidenceBlockUnknown(verdict.evidenceBlock));
        require(
            known == verdict.evidenceBlockHash,
            EvidenceBlockMismatch(verdict.evidenceBlock, known, verdict.evidenceBlockHash)
        );
    }

    /// @dev What `system` proves. Reverts unless it does; there is no other way to a verdict.
    function _proven(
        ProofSystem system,
        bytes calldata proof
    ) internal returns (Verdict memory verdict, uint32 record, uint40 until) {
        address verifier = _verifiers[system];
        require(verifier != address(0), NoVerifier(system));
        return IProofVerifier(verifier).verify(proof);
    }

    function _setVerifier(ProofSystem system, address verifier) private {
        require(system != ProofSystem.None, NoVerifier(system));
        if (verifier != address(0)) {
            ProofSystem actual = IProofVerifier(verifier).proofSystem();
            require(actual == system, VerifierMismatch(system, actual));
        }
        address old = _verifiers[system];
        _verifiers[system] = verifier;
        emit VerifierChanged(system, old, verifier, msg.sender);
    }
}
