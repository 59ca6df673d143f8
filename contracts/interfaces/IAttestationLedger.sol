// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IVerdictConsumer} from "./IVerdictConsumer.sol";
import {ProofSystem, Reason, TcbStatus, TeeKind} from "./Types.sol";

/// @notice One running copy of an app, as proven.
struct Instance {
    uint32 release;
    uint32 node;
    TeeKind kind;
    TcbStatus status;
    uint8 proofSystems; // bitmap over ProofSystem: proofs over exactly this evidence
    bool simulated;
    bool gpu; //           GPU evidence is bound
    uint64 evidenceBlock;
    uint40 expiresAt;
    bytes32 evidenceDigest;
    bytes32 osImageHash;
    bytes32 measurementDigest;
    bytes32 pinnedMeasurementDigest;
    bytes32 advisoriesDigest; // zero when there are none
}

/// @title AttestationLedger: instances and proofs
/// @notice Answers one question for other contracts: is this key a live instance of that app under its rules of now?
interface IAttestationLedger is IVerdictConsumer {
    /// @notice An instance was proven (again). `proofSystems` is the bitmap after this proof; newer evidence clears
    /// the older.
    event InstanceProven(
        address indexed app,
        address indexed key,
        uint32 indexed node,
        uint32 release,
        TeeKind kind,
        TcbStatus status,
        ProofSystem system,
        uint8 proofSystems,
        bool simulated,
        bool gpu,
        bytes32 advisoriesDigest,
        bytes32 osImageHash,
        bytes32 measurementDigest,
        bytes32 pinnedMeasurementDigest,
        bytes32 evidenceDigest,
        uint64 evidenceBlock,
        uint40 expiresAt,
        address actor
    );

    error UnknownApp(address app);
    error EvidenceNotNewer(uint64 current, uint64 actual);
    error BadKeySignature(address expected, address actual);
    error NodeNotActive(uint32 number);
    error PlatformMismatch(bytes32 expected, bytes32 actual);
    error ReleaseUnknown(bytes32 composeHash);
    error FactsChanged(bytes32 evidenceDigest);
    error NotAllowed(Reason reason);
    error NotLive(address app, address key);

    /// @notice Records a proof that the verdict's key runs the app that is its subject on registered node `node`.
    /// @param keySignature the bound key's EIP-712 signature over InstanceEntry(address app,bytes32 evidenceDigest),
    /// domain "Charter AttestationLedger" version "1". Missing proof systems do not revert; they keep `isLive` false.
    function attest(
        uint32 node,
        ProofSystem system,
        bytes calldata proof,
        bytes calldata keySignature
    ) external;

    /// @notice Stored facts judged by release, policy, node and expiry of now.
    function isLive(address app, address key) external view returns (bool);
    /// @notice Why (not): Reason.Allowed exactly when `isLive`.
    function liveReason(address app, address key) external view returns (Reason);
    /// @notice Reverts NotLive unless `isLive`.
    function requireLive(address app, address key) external view;
    function instance(address app, address key) external view returns (Instance memory);
    /// @notice EIP-712 digest that the bound key signs.
    function entryDigest(address app, bytes32 evidenceDigest) external view returns (bytes32);
}
