// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

// Words that contracts share. protocol/words/enums.ts holds the same numbers. In every enum but Level, zero is never
// a valid answer: a value that was never set denies.

/// @notice Kind of trusted execution environment that made the evidence.
enum TeeKind {
    None,
    Tdx,
    Sgx,
    Snp,
    Nitro
}

/// @notice Intel's TCB statuses; other vendors' results are mapped onto them.
enum TcbStatus {
    Unknown,
    UpToDate,
    SWHardeningNeeded,
    ConfigurationNeeded,
    ConfigurationAndSWHardeningNeeded,
    OutOfDate,
    OutOfDateConfigurationNeeded,
    Revoked
}

/// @notice How a verdict reached the chain.
enum ProofSystem {
    None,
    Direct,
    Committee,
    Zk
}

/// @notice How much an owner has given up. Only ever goes up.
enum Level {
    Open,
    Noticed,
    Sealed,
    RevokeOnly,
    Frozen
}

/// @notice Why an app allows or denies. Every value but `Allowed` denies.
enum Reason {
    Undecided,
    Allowed,
    AppNotRegistered,
    BootInfoNotAccepted,
    WrongApp,
    ReleaseNotAllowed,
    TeeKindNotAllowed,
    TcbStatusNotAllowed,
    AdvisoryNotAllowed,
    OsImageNotAllowed,
    NodeNotAllowed,
    EvidenceTooOld,
    ProofMissing,
    SimulatedNotAllowed,
    GpuMissing
}

/// @notice One entry of an app's settings; (kind, key) names it.
/// @dev Direction per kind: what a change does is `loosen` or `tighten`, never both.
enum SettingKind {
    None,
    Notice, //            key 0; value seconds. Raising tightens.
    Grace, //             key 0; value seconds, the most that a proposal may give. Lowering tightens.
    TeeKind, //           key TeeKind; value 1 allowed, 0 not.
    TcbStatus, //         key TcbStatus; value 1 allowed, 0 not.
    ProofSystem, //       key ProofSystem; value 1 required, 0 not. Requiring tightens. The set is never empty.
    OsImage, //           key dstack osImageHash; value measurement digest, 0 not allowed. Any non-zero value loosens.
    Node, //              key platform id; value 1 allowed, 0 not.
    AnyNode, //           key 0; value 1 any registered node, 0 only the listed ones.
    MaxEvidenceAge, //    key 0; value blocks. Lowering tightens.
    AcceptBootInfo, //    key 0; value 1: answer dstack's boot info, which names no TEE kind, GPU, age or proof.
    TcbStatusUntil, //    key TcbStatus; value unix seconds before which it is accepted as well. Lowering tightens.
    Advisory, //          key keccak256(advisory id); value unix seconds before which it is accepted. Lowering tightens.
    GpuRequired, //       key 0; value 1: evidence must bind GPU evidence. Requiring tightens.
    Endorsement, //       key 0; value id of an expression whose nodes are allowed as well, 0 none. Any other loosens.
    ReviewSeconds, //     key 0; value seconds, at most 30 days, that a proof stays live while its collateral is judged
    //                    anew. Lowering tightens.
    RebuildsRequired, //  key 0; value matching reports that a release needs, at most 32. Raising tightens.
    Rebuilder //          key account; value 1 may report, 0 not.
}

/// @notice A verdict: the result of checking evidence, in the words of a contract. Signed (EIP-712) by a committee.
/// @dev For a node's own evidence `consumer` is the NodeRegistry, `subject` the operator and `composeHash` zero;
/// for an instance `consumer` is the AttestationLedger and `subject` the app.
/// reportData[0:32] = keccak256(abi.encode(domain, chainId, consumer, subject, key, evidenceBlock, evidenceBlockHash)).
struct Verdict {
    address consumer; //             contract that may use this verdict
    address subject; //              app (instances) or operator (nodes)
    address key; //                  secp256k1 address that the evidence binds
    uint64 evidenceBlock; //         block number bound in the report data
    bytes32 evidenceBlockHash; //    and its hash
    bytes32 platformId; //           SHA-256 of PPID (Intel) or chip id (AMD)
    bytes32 composeHash; //          measured compose hash; zero for nodes
    bytes32 osImageHash; //          dstack's OS image hash
    bytes32 measurementDigest; //    keccak256(MRTD‖RTMR1‖RTMR2)
    bytes32 pinnedMeasurementDigest; // keccak256(MRTD‖RTMR1‖RTMR2‖RTMR0)
    TeeKind kind;
    TcbStatus status;
    bytes32 advisoriesDigest; //     keccak256 of the sorted advisory ids joined by ","; zero when there are none
    bytes32 evidenceDigest; //       keccak256(keccak256(signed part of the quote) ‖ platform id)
    bytes32 gpuDigest; //            digest of bound GPU evidence, or zero
    uint40 validUntil; //            end of the intersection of all collateral windows, seconds
    bool simulated; //               made under a test root; usable on chain ids 1337 and 31337 only
}

/// @notice What an app's policy is asked about: stored facts of one instance.
struct Facts {
    uint32 release; //               number of the release that the compose hash named
    bytes32 platformId;
    address operator; //             of the node; zero where it is not known
    bytes32 osImageHash;
    bytes32 measurementDigest;
    bytes32 pinnedMeasurementDigest;
    TeeKind kind;
    TcbStatus status;
    bytes32 advisoriesDigest; //     of the set, zero when there are none (IAdvisorySets)
    bool gpu; //                     GPU evidence is bound
    uint8 proofSystems; //           bitmap, bit n = ProofSystem n has been given
    bool simulated;
}

/// @notice What a verifier says today of the ground that a verdict rests on (one platform's record).
struct Standing {
    TcbStatus status; //          as last judged
    bytes32 advisoriesDigest; //  as last judged; zero when there are none
    uint40 validUntil; //         collateral of now ends here; in the past: suspended until newer collateral comes
    uint40 staleSince; //         0: judged by the collateral of now. Else seconds when what it was judged by changed
    bool revoked; //              its certificate is (or, while stale, may be) revoked: denies at once
}
