// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

import {IApp} from "../interfaces/IApp.sol";
import {IAppRegistry} from "../interfaces/IAppRegistry.sol";
import {IAttestationLedger, Instance} from "../interfaces/IAttestationLedger.sol";
import {INodeRegistry, Node} from "../interfaces/INodeRegistry.sol";
import {IProofVerifier} from "../interfaces/IProofVerifier.sol";
import {Facts, ProofSystem, Reason, Verdict} from "../interfaces/Types.sol";
import {VerifierSet} from "../lib/VerifierSet.sol";

/// @title AttestationLedger
/// @dev Facts are stored once and judged again at every question, so that tightening one entry of an app's policy
/// stops exactly the instances that it concerns, in the same block.
contract AttestationLedger is IAttestationLedger, VerifierSet, EIP712 {
    /// @notice A proof lasts at most this long, however long its collateral does.
    uint40 public constant MAX_VALIDITY = 7 days;

    bytes32 private constant ENTRY_TYPEHASH = keccak256("InstanceEntry(address app,bytes32 evidenceDigest)");

    IAppRegistry public immutable appRegistry;
    INodeRegistry public immutable nodeRegistry;

    mapping(address app => mapping(address key => Instance facts)) private _instances;

    constructor(
        address owner,
        IAppRegistry appRegistry_,
        INodeRegistry nodeRegistry_,
        IProofVerifier[] memory verifiers
    ) EIP712("Charter AttestationLedger", "1") Ownable(owner) VerifierSet(verifiers) {
        appRegistry = appRegistry_;
        nodeRegistry = nodeRegistry_;
    }

    /// @inheritdoc IAttestationLedger
    function attest(
        uint32 node,
        ProofSystem system,
        bytes calldata proof,
        bytes calldata keySignature
    ) external {
        (Verdict memory verdict, , ) = _proven(system, proof);
        require(appRegistry.isApp(verdict.subject), UnknownApp(verdict.subject));
        IApp app = IApp(verdict.subject);
        _requireUsable(verdict, app.maxEvidenceAgeBlocks());
        (address signer, , ) = ECDSA.tryRecover(
            entryDigest(verdict.subject, verdict.evidenceDigest),
            keySignature
        );
        require(signer != address(0) && signer == verdict.key, BadKeySignature(verdict.key, signer));
        require(nodeRegistry.isActive(node), NodeNotActive(node));
        Node memory platform = nodeRegistry.node(node);
        require(
            platform.platformId == verdict.platformId,
            PlatformMismatch(platform.platformId, verdict.platformId)
        );
        uint32 release = app.releaseOf(verdict.composeHash).number;
        require(release != 0, ReleaseUnknown(verdict.composeHash));

        Instance memory entry = _entryOf(verdict, node, release);
        entry.proofSystems = _combine(_instances[verdict.subject][verdict.key], entry, system);
        Reason reason = app.judge(_factsOf(entry, platform));
        // A proof system that is still missing keeps `isLive` false; anything else is refused here and now.
        require(reason == Reason.Allowed || reason == Reason.ProofMissing, NotAllowed(reason));
        _instances[verdict.subject][verdict.key] = entry;
        _emitProven(verdict, entry, system);
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc IAttestationLedger
    function isLive(address app, address key) external view returns (bool) {
        return liveReason(app, key) == Reason.Allowed;
    }

    /// @inheritdoc IAttestationLedger
    function requireLive(address app, address key) external view {
        require(liveReason(app, key) == Reason.Allowed, NotLive(app, key));
    }

    /// @inheritdoc IAttestationLedger
    function liveReason(address app, address key) public view returns (Reason) {
        Instance memory entry = _instances[app][key];
        if (entry.expiresAt == 0) return Reason.ProofMissing;
        if (entry.expiresAt <= block.timestamp) return Reason.EvidenceTooOld;
        if (!nodeRegistry.isActive(entry.node)) return Reason.NodeNotAllowed;
        return IApp(app).judge(_factsOf(entry, nodeRegistry.node(entry.node)));
    }

    /// @inheritdoc IAttestationLedger
    function instance(address app, address key) external view returns (Instance memory) {
        return _instances[app][key];
    }

    /// @inheritdoc IAttestationLedger
    function entryDigest(address app, bytes32 evidenceDigest) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(ENTRY_TYPEHASH, app, evidenceDigest)));
    }

    // ---------------------------------------------------------------- entries

    function _entryOf(
        Verdict memory verdict,
        uint32 node,
        uint32 release
    ) private view returns (Instance memory) {
        uint40 limit = uint40(block.timestamp) + MAX_VALIDITY;
        return
            Instance({
                release: release,
                node: node,
                kind: verdict.kind,
                status: verdict.status,
                proofSystems: 0,
                simulated: verdict.simulated,
                gpu: verdict.gpuDigest != 0,
                evidenceBlock: verdict.evidenceBlock,
                expiresAt: verdict.validUntil < limit ? verdict.validUntil : limit,
                evidenceDigest: verdict.evidenceDigest,
                osImageHash: verdict.osImageHash,
                measurementDigest: verdict.measurementDigest,
                pinnedMeasurementDigest: verdict.pinnedMeasurementDigest,
                advisoriesDigest: verdict.advisoriesDigest
            });
    }

    /// @dev The proof systems that speak for this entry. Proofs combine only over the same evidence, release, node and
    /// measurements; newer evidence starts afresh.
    function _combine(
        Instance storage known,
        Instance memory entry,
        ProofSystem system
    ) private view returns (uint8) {
        uint8 bit = uint8(1 << uint8(system));
        if (known.evidenceDigest != entry.evidenceDigest) {
            require(
                entry.evidenceBlock > known.evidenceBlock,
                EvidenceNotNewer(known.evidenceBlock, entry.evidenceBlock)
            );
            return bit;
        }
        // The same evidence judged again: TCB status and expiry follow the collateral of the day, what was measured
        // and where it runs cannot have changed.
        require(
            known.node == entry.node &&
                known.release == entry.release &&
                known.kind == entry.kind &&
                known.simulated == entry.simulated &&
                known.gpu == entry.gpu &&
                known.evidenceBlock == entry.evidenceBlock &&
                known.osImageHash == entry.osImageHash &&
                known.measurementDigest == entry.measurementDigest &&
                known.pinnedMeasurementDigest == entry.pinnedMeasurementDigest,
            FactsChanged(entry.evidenceDigest)
        );
        // Another status is another judgement: systems that gave the old one do not vouch for the new one.
        if (known.status != entry.status || known.advisoriesDigest != entry.advisoriesDigest) return bit;
        if (known.expiresAt < entry.expiresAt && known.proofSystems & ~bit != 0)
            entry.expiresAt = known.expiresAt;
        return known.proofSystems | bit;
    }

    function _factsOf(Instance memory entry, Node memory platform) private pure returns (Facts memory) {
        return
            Facts({
                release: entry.release,
                platformId: platform.platformId,
                operator: platform.operator,
                osImageHash: entry.osImageHash,
                measurementDigest: entry.measurementDigest,
                pinnedMeasurementDigest: entry.pinnedMeasurementDigest,
                kind: entry.kind,
                status: entry.status,
                advisoriesDigest: entry.advisoriesDigest,
                gpu: entry.gpu,
                proofSystems: entry.proofSystems,
                simulated: entry.simulated
            });
    }

    function _emitProven(Verdict memory verdict, Instance memory entry, ProofSystem system) private {
        emit InstanceProven(
            verdict.subject,
            verdict.key,
            entry.node,
            entry.release,
            entry.kind,
            entry.status,
            system,
            entry.proofSystems,
            entry.simulated,
            entry.gpu,
            entry.advisoriesDigest,
            entry.osImageHash,
            entry.measurementDigest,
            entry.pinnedMeasurementDigest,
            entry.evidenceDigest,
            entry.evidenceBlock,
            entry.expiresAt,
            msg.sender
        );
    }
}
