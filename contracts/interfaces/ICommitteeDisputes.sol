// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Leaf} from "./IAttestationLedger.sol";
import {Verdict} from "./Types.sol";

/// @notice What a committee signed for a batch whose ledger is the one of these disputes; the root follows from the leaf.
struct BatchTerms {
    uint32 count;
    uint40 validUntil;
    uint64 minBlock;
    bytes32 blockHash;
}

/// @notice In what a committee's word and the evidence differ.
enum Contradiction {
    None,
    Platform,
    Measurement, // kind, measurements, or the compose hash that the platform measured
    Binding //      what the report data binds: use, chain, consumer, subject, key, block, GPU evidence
}

/// @title CommitteeDisputes: the same evidence, verified here, against what a committee said of it
/// @notice Whoever signed what the evidence contradicts is marked, and nobody else. Only the same evidence counts, by its
/// digest: other evidence proves nothing, whatever key it names. A status, advisories or a validity that differ prove
/// nothing either: they follow from the collateral of a day.
/// What no contract can read is not disputed here: compose hashes that stand in RTMR3 alone or in an MRCONFIGID of version
/// 3, and evidence that is not Intel's.
interface ICommitteeDisputes {
    /// @notice Signers were marked. @param statement EIP-712 digest of the verdict or batch that they signed.
    event Disputed(
        bytes32 indexed evidenceDigest,
        bytes32 indexed statement,
        Contradiction contradiction,
        address[] signers,
        address actor
    );

    error OtherEvidence(bytes32 expected, bytes32 actual);
    error NoContradiction(bytes32 evidenceDigest);
    error NoSignatures();
    error OtherFork(uint64 minBlock, bytes32 expected, bytes32 actual);
    error BadMrConfigIdPreimage(bytes32 mrConfigIdHigh);
    error BadClaimPreimage(bytes32 expected, bytes32 actual);

    /// @notice Disputes a verdict. Anyone may; collateral for the platform must be current.
    /// @param signatures over the verdict, 65 bytes each, one or more.
    /// @param quote the evidence, packed as IDcapVerifier says.
    /// @param mrConfigIdPreimage of an MRCONFIGID of version 2, where its compose hash is to be compared; else empty.
    function disputeVerdict(
        Verdict calldata verdict,
        bytes[] calldata signatures,
        bytes calldata quote,
        bytes calldata mrConfigIdPreimage
    ) external;

    /// @notice Disputes a leaf of a batch: of a posted one, or of one whose oldest block this chain still knows (8,191
    /// blocks). What was signed on another fork speaks of that fork's numbers, and marks nobody.
    /// @param proof of the leaf under the batch's root, as for `IAttestationLedger.claim`.
    /// @param claimPreimage what the report data really binds, as protocol/evidence/reportData.ts encodes it: abi.encode of
    /// domain, chain id, consumer, subject, key, block number, block hash; empty where that is not disputed. The leaf says
    /// no block hash, so nothing less shows another binding.
    function disputeLeaf(
        BatchTerms calldata batch,
        Leaf calldata leaf,
        bytes32[] calldata proof,
        bytes[] calldata signatures,
        bytes calldata quote,
        bytes calldata mrConfigIdPreimage,
        bytes calldata claimPreimage
    ) external;
}
