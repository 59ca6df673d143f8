// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {PckCa} from "./IDcapCollateral.sol";
import {DcapDocuments} from "./IDcapDocuments.sol";
import {IProofVerifier} from "./IProofVerifier.sol";
import {TeeKind, Verdict} from "./Types.sol";

/// @notice What a program commits to, as abi.encode(ZkJournal): static, 24 words.
struct ZkJournal {
    Verdict verdict;
    uint40 provenAt; //          seconds: the time that the program judged by, which its prover chose
    bytes6 fmspc; //             of the platform's PCK certificate
    PckCa ca; //                 its issuer
    DcapDocuments documents; //  what the program judged by
}

/// @notice One proof maker's verifier, behind one call.
interface IZkAdapter {
    /// @notice The gateway's address has no code.
    error NoGateway(address actual);

    /// @notice Reverts unless `seal` proves that `program` ran and committed to exactly `journal`.
    /// @param program the program's key: SP1's verification key, RISC Zero's image id.
    function requireProven(bytes32 program, bytes calldata journal, bytes calldata seal) external view;
}

/// @title ZkVerifier: verdicts that a program gave, proven in zero knowledge
/// @notice `proof` = abi.encode(address adapter, bytes32 program, bytes journal, bytes seal),
/// journal = abi.encode(ZkJournal).
/// A program is trusted for what it checks; governance names programs, with notice. Nothing else is left to it: its time is
/// bounded by the block's, what it judged by is what DcapCollateral keeps now.
interface IZkVerifier is IProofVerifier {
    /// @notice The program's proofs count from `effectiveAt` on.
    event ProgramAdded(address indexed adapter, bytes32 indexed program, uint40 effectiveAt, address actor);
    /// @notice The program's proofs no longer count. @param effectiveAt when they counted, or would have.
    event ProgramRemoved(address indexed adapter, bytes32 indexed program, uint40 effectiveAt, address actor);

    error NoticeTooLong(uint256 limitSeconds, uint256 actual);
    error NoNotice();
    error NoAdapter(address actual);
    error ProgramKnown(address adapter, bytes32 program, uint40 effectiveAt);
    error ProgramUnknown(address adapter, bytes32 program);
    error ProgramNotEffective(uint40 effectiveAt, uint256 timestamp);
    error BadJournalLength(uint256 expected, uint256 actual);
    error ProvenInTheFuture(uint40 provenAt, uint256 timestamp);
    error ProofTooOld(uint40 provenAt, uint256 timestamp, uint256 maxAgeSeconds);
    error KindNotSupported(TeeKind kind);
    error RootMismatch(bool expectedSimulated, bool actualSimulated);
    error DocumentsMismatch(DcapDocuments expected, DcapDocuments actual);

    /// @notice Lets a program's proofs count from now + notice on. Owner (the Timelock) only.
    function addProgram(IZkAdapter adapter, bytes32 program) external;
    /// @notice Ends a program at once, or takes back one that is not in force yet. Owner only.
    function removeProgram(IZkAdapter adapter, bytes32 program) external;
    /// @notice From when its proofs count, in seconds; 0: never.
    function programEffectiveAt(IZkAdapter adapter, bytes32 program) external view returns (uint40);
    /// @notice Seconds between `addProgram` and effect.
    function noticeSeconds() external view returns (uint32);
}
