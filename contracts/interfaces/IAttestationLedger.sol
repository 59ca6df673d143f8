// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IVerdictConsumer} from "./IVerdictConsumer.sol";
import {ProofSystem, Reason, TcbStatus, TeeKind} from "./Types.sol";

/// @notice What was measured, with the advisories that the verdict named: kept once, named by a number.
struct Image {
    bytes32 osImageHash;
    bytes32 measurementDigest;
    bytes32 pinnedMeasurementDigest;
    bytes32 advisoriesDigest; // zero when there are none
}

/// @notice One running copy of an app, as proven.
struct Instance {
    uint32 release;
    uint32 node;
    uint32 image;
    TeeKind kind;
    TcbStatus status; //      when it was proven; a record's standing may say otherwise since
    bool simulated;
    bool gpu; //              GPU evidence is bound
    uint8 proofSystems; //    bitmap over ProofSystem: proofs over exactly this evidence
    uint40 evidenceBlock;
    uint40 expiresAt;
    uint32 record; //         of the Direct verifier; 0: no direct proof
    bytes32 evidenceDigest; // kept where proofs are to be combined, else zero
}

/// @notice What a committee says of one instance in a batch. `facts` is the packed word of `packFacts`.
struct Leaf {
    address app;
    address key;
    bytes32 facts;
    bytes32 evidenceDigest;
}

/// @title AttestationLedger: instances and proofs
/// @notice Answers one question for other contracts: is this key a live instance of that app under its rules of now?
interface IAttestationLedger is IVerdictConsumer {
    /// @notice An instance was proven (again). `proofSystems` is the bitmap after this proof; newer evidence clears
    /// the older. `image` stands in ImageKept.
    event InstanceProven(
        address indexed app,
        address indexed key,
        uint32 indexed node,
        uint32 release,
        uint32 image,
        TeeKind kind,
        TcbStatus status,
        ProofSystem system,
        uint8 proofSystems,
        bool simulated,
        bool gpu,
        uint32 record,
        bytes32 evidenceDigest,
        uint64 evidenceBlock,
        uint40 expiresAt,
        address actor
    );
    /// @notice An instance was proven by a leaf of a batch. `entry` is its stored word after that, packed like the facts of
    /// a leaf (`unpackFacts`), with the bitmap of proof systems.
    event InstanceClaimed(
        address indexed app,
        address indexed key,
        bytes32 entry,
        bytes32 evidenceDigest,
        address actor
    );
    event ImageKept(
        uint32 indexed image,
        bytes32 osImageHash,
        bytes32 measurementDigest,
        bytes32 pinnedMeasurementDigest,
        bytes32 advisoriesDigest,
        address actor
    );
    event BatchPosted(
        bytes32 indexed root,
        uint32 count,
        uint40 validUntil,
        uint64 minBlock,
        bytes32 blockHash,
        address verifier,
        address actor
    );

    error EvidenceNotNewer(uint64 current, uint64 actual);
    error BadKeySignature(address expected, address actual);
    error PlatformMismatch(bytes32 expected, bytes32 actual);
    error ReleaseUnknown(bytes32 composeHash);
    error FactsChanged(bytes32 evidenceDigest);
    error NotLive(address app, address key);
    error UnknownBatch(bytes32 root);
    error BatchKnown(bytes32 root);
    error BadBatch(bytes32 root, uint32 count);
    error BadLeaf(bytes32 facts);
    error LengthMismatch(uint256 expected, uint256 actual);

    /// @notice Records a proof that the verdict's key runs the app that is its subject on registered node `node`.
    /// What is proven is kept; whether it is an app, and whether that and the node allow it, is judged at every `isLive`,
    /// and nowhere else.
    /// @param combines keeps the evidence digest, so that proofs of other systems over the same evidence can be added.
    /// @param keySignature the bound key's EIP-712 signature over InstanceEntry(address app,bytes32 evidenceDigest),
    /// domain "Charter AttestationLedger" version "1".
    function attest(
        uint32 node,
        ProofSystem system,
        bool combines,
        bytes calldata proof,
        bytes calldata keySignature
    ) external;

    /// @notice Posts the Merkle root of leaves that a committee has judged. Anyone may send it.
    /// @param count leaves under the root.
    /// @param validUntil seconds; no claim lasts longer, nor longer than a week from now.
    /// @param minBlock oldest evidence block of the leaves, whose hash must be known to the chain (8,191 blocks).
    function postBatch(
        bytes32 root,
        uint32 count,
        uint40 validUntil,
        uint64 minBlock,
        bytes32 blockHash,
        bytes[] calldata signatures
    ) external;
    /// @notice Enters a leaf of a posted batch. Its root follows from `proof`
    /// (keccak256(bytes.concat(keccak256(abi.encode(leaf)))), pairs sorted: OpenZeppelin's merkle-tree).
    /// No app is asked: `isLive` judges.
    /// @param keySignature of the leaf's key, compact (EIP-2098): r, and s with y's parity in its highest bit.
    function claim(Leaf calldata leaf, bytes32[] calldata proof, bytes32[2] calldata keySignature) external;
    /// @notice Enters several leaves of one batch by a multiproof (OpenZeppelin MerkleProof).
    function claimMany(
        Leaf[] calldata leaves,
        bytes32[] calldata proof,
        bool[] calldata proofFlags,
        bytes32[2][] calldata keySignatures
    ) external;
    /// @notice Keeps an image and names it by a number; again gives the same one. Anyone may: an image allows nothing.
    function keepImage(Image calldata image) external returns (uint32 number);

    /// @notice Stored facts judged by release, policy, node, collateral and expiry of now. What the committee's or the
    /// Direct verifier proved counts until governance replaces that verifier.
    function isLive(address app, address key) external view returns (bool);
    /// @notice Why (not): Reason.Allowed exactly when `isLive`.
    function liveReason(address app, address key) external view returns (Reason);
    /// @notice Reverts NotLive unless `isLive`.
    function requireLive(address app, address key) external view;
    function instance(address app, address key) external view returns (Instance memory);
    function image(uint32 number) external view returns (Image memory);
    /// @notice 0 when it is not kept.
    function imageNumber(Image calldata image) external view returns (uint32);
    /// @notice End of a posted batch, its oldest evidence block, and the block that it was posted in; zeros if unknown.
    function batch(
        bytes32 root
    ) external view returns (uint40 validUntil, uint64 minBlock, uint64 postedBlock);
    /// @notice EIP-712 digest that the bound key signs.
    function entryDigest(address app, bytes32 evidenceDigest) external view returns (bytes32);
    /// @notice A leaf's facts as one word, from the highest bits: release (32), node (32), image (32), kind (8), status (8),
    /// flags (8: 1 simulated, 2 GPU, 4 keep the digest), zero (8), evidence block (40), expiry (40), zero (48).
    function packFacts(
        uint32 release,
        uint32 node,
        uint32 image,
        TeeKind kind,
        TcbStatus status,
        uint8 flags,
        uint40 evidenceBlock,
        uint40 expiresAt
    ) external pure returns (bytes32);
}
