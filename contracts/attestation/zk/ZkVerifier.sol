// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";

import {DcapDocuments, IDcapDocuments} from "../../interfaces/IDcapDocuments.sol";
import {IProofVerifier} from "../../interfaces/IProofVerifier.sol";
import {IVerdictConsumer} from "../../interfaces/IVerdictConsumer.sol";
import {IZkAdapter, IZkVerifier, ZkJournal} from "../../interfaces/IZkVerifier.sol";
import {ProofSystem, Standing, TeeKind, Verdict} from "../../interfaces/Types.sol";
import {DevelopmentChain} from "../../lib/DevelopmentChain.sol";

/// @title ZkVerifier
/// @dev It keeps nothing of a proof: a verdict rests on what was checked when it was brought, until it expires. Only a
/// Direct proof is asked again at each use (`standing`).
contract ZkVerifier is IZkVerifier, Ownable2Step {
    /// @notice A proof older than this is refused: the collateral that it judged by may have been replaced since.
    uint256 public constant MAX_PROOF_AGE_SECONDS = 1 hours;
    uint256 public constant MAX_NOTICE_SECONDS = 365 days;

    /// @dev Words of abi.encode(ZkJournal): 17 of the verdict, 3, 4 documents.
    uint256 private constant JOURNAL_BYTES = 24 * 32;

    IDcapDocuments public immutable collateral;
    /// @inheritdoc IZkVerifier
    uint32 public immutable noticeSeconds;

    mapping(address adapter => mapping(bytes32 program => uint40 effectiveAt)) private _programs;

    /// @param noticeSeconds_ 0 on development chains only.
    constructor(address owner, IDcapDocuments collateral_, uint32 noticeSeconds_) Ownable(owner) {
        require(noticeSeconds_ != 0 || DevelopmentChain.isOne(), NoNotice());
        require(noticeSeconds_ <= MAX_NOTICE_SECONDS, NoticeTooLong(MAX_NOTICE_SECONDS, noticeSeconds_));
        collateral = collateral_;
        noticeSeconds = noticeSeconds_;
    }

    /// @inheritdoc IZkVerifier
    function addProgram(IZkAdapter adapter, bytes32 program) external onlyOwner {
        require(address(adapter).code.length != 0, NoAdapter(address(adapter)));
        uint40 known = _programs[address(adapter)][program];
        require(known == 0, ProgramKnown(address(adapter), program, known));
        uint40 effectiveAt = uint40(block.timestamp) + noticeSeconds;
        _programs[address(adapter)][program] = effectiveAt;
        emit ProgramAdded(address(adapter), program, effectiveAt, msg.sender);
    }

    /// @inheritdoc IZkVerifier
    function removeProgram(IZkAdapter adapter, bytes32 program) external onlyOwner {
        uint40 known = _programs[address(adapter)][program];
        require(known != 0, ProgramUnknown(address(adapter), program));
        delete _programs[address(adapter)][program];
        emit ProgramRemoved(address(adapter), program, known, msg.sender);
    }

    /// @inheritdoc IProofVerifier
    function verify(
        bytes calldata proof
    ) external view returns (Verdict memory verdict, uint32 record, uint40 until) {
        (address adapter, bytes32 program, bytes memory committed, bytes memory seal) = abi.decode(
            proof,
            (address, bytes32, bytes, bytes)
        );
        uint40 effectiveAt = _programs[adapter][program];
        require(effectiveAt != 0, ProgramUnknown(adapter, program));
        require(effectiveAt <= block.timestamp, ProgramNotEffective(effectiveAt, block.timestamp));
        IZkAdapter(adapter).requireProven(program, committed, seal);

        // One encoding of one journal: ABI decoding alone would ignore what stands behind it.
        require(committed.length == JOURNAL_BYTES, BadJournalLength(JOURNAL_BYTES, committed.length));
        ZkJournal memory journal = abi.decode(committed, (ZkJournal));
        verdict = journal.verdict;
        require(verdict.consumer == msg.sender, IVerdictConsumer.WrongConsumer(msg.sender, verdict.consumer));
        _requireTime(journal.provenAt);
        uint40 collateralUntil = _requireCollateral(journal);
        until = verdict.validUntil < collateralUntil ? verdict.validUntil : collateralUntil;
        require(until > block.timestamp, IVerdictConsumer.VerdictExpired(until, block.timestamp));
        record = 0;
    }

    /// @inheritdoc IProofVerifier
    function standing(uint32 record) external pure returns (Standing memory) {
        revert UnknownRecord(record);
    }

    /// @inheritdoc IProofVerifier
    function proofSystem() external pure returns (ProofSystem) {
        return ProofSystem.Zk;
    }

    /// @inheritdoc IZkVerifier
    function programEffectiveAt(IZkAdapter adapter, bytes32 program) external view returns (uint40) {
        return _programs[address(adapter)][program];
    }

    /// @dev The prover chose the program's time. In the future it could judge by collateral that is not valid yet, in the
    /// past by a TCB level of then.
    function _requireTime(uint40 provenAt) private view {
        require(provenAt <= block.timestamp, ProvenInTheFuture(provenAt, block.timestamp));
        require(
            block.timestamp - provenAt <= MAX_PROOF_AGE_SECONDS,
            ProofTooOld(provenAt, block.timestamp, MAX_PROOF_AGE_SECONDS)
        );
    }

    /// @dev Only Intel's kinds: nothing on this chain says what another vendor's collateral is.
    function _requireCollateral(ZkJournal memory journal) private view returns (uint40 validUntil) {
        TeeKind kind = journal.verdict.kind;
        require(kind == TeeKind.Tdx || kind == TeeKind.Sgx, KindNotSupported(kind));
        // Reverts for a test root on a production chain.
        bool simulated = collateral.simulated();
        require(journal.verdict.simulated == simulated, RootMismatch(simulated, journal.verdict.simulated));
        DcapDocuments memory known;
        (known, validUntil) = collateral.documentsOf(kind, journal.fmspc, journal.ca);
        DcapDocuments memory judged = journal.documents;
        require(
            judged.tcbInfo == known.tcbInfo &&
                judged.qeIdentity == known.qeIdentity &&
                judged.pckCrl == known.pckCrl &&
                judged.rootCrl == known.rootCrl &&
                known.tcbInfo != 0 &&
                known.qeIdentity != 0 &&
                known.pckCrl != 0 &&
                known.rootCrl != 0,
            DocumentsMismatch(known, judged)
        );
    }
}
