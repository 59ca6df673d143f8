// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ProofSystem} from "./Types.sol";

/// @title What every contract that consumes verdicts refuses, and how its verifiers change
interface IVerdictConsumer {
    event VerifierChanged(
        ProofSystem indexed system,
        address oldVerifier,
        address newVerifier,
        address actor
    );

    error WrongConsumer(address expected, address actual);
    error NoVerifier(ProofSystem system);
    error UnexpectedRecord(ProofSystem system, uint32 record);
    error VerifierMismatch(ProofSystem expected, ProofSystem actual);
    error SimulatedOnProductionChain(uint256 chainId);
    error VerdictExpired(uint40 validUntil, uint256 timestamp);
    error EvidenceTooOld(uint64 evidenceBlock, uint256 blockNumber, uint256 maxAgeBlocks);
    error EvidenceBlockUnknown(uint64 evidenceBlock);
    error EvidenceBlockMismatch(uint64 evidenceBlock, bytes32 expected, bytes32 actual);

    /// @notice Which contract proves which system. Owner (the Timelock) only; zero removes.
    function setVerifier(ProofSystem system, address verifier) external;
    /// @notice Zero when the system has no verifier: then its proofs are refused.
    function verifierOf(ProofSystem system) external view returns (address);
}
