// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {FamilyStanding, IDcapCollateral, Judgement, PlatformTcb} from "../../interfaces/IDcapCollateral.sol";
import {IDcapVerifier, QuoteResult} from "../../interfaces/IDcapVerifier.sol";
import {IProofVerifier} from "../../interfaces/IProofVerifier.sol";
import {ProofSystem, Standing, TcbStatus, TeeKind, Verdict} from "../../interfaces/Types.sol";
import {DevelopmentChain} from "../../lib/DevelopmentChain.sol";
import {EvidenceBlocks} from "../../lib/EvidenceBlocks.sol";
import {DcapFacts} from "./DcapFacts.sol";
import {Claim, DirectClaim} from "./DirectClaim.sol";
import {P256} from "./P256.sol";
import {PckCertificate, PckLeaf} from "./PckLeaf.sol";
import {PckTemplate} from "./PckTemplate.sol";
import {QuoteReader} from "./QuoteReader.sol";
import {PlatformRecord, Records} from "./Records.sol";
import {Refusals} from "./Refusals.sol";
import {Serials} from "./Serials.sol";

/// @title DcapVerifier
/// @dev Every signature is computed before the first is judged, on every path; nothing that fails is kept.
contract DcapVerifier is IDcapVerifier {
    using Records for uint256;

    uint256 private constant FIRST = 0x01;
    uint256 private constant KNOWN = 0x02;
    uint256 private constant FIRST_BY_FIELDS = 0x03;
    /// @dev Signature, attestation key, QE report, its signature, length of the QE's authentication data.
    uint256 private constant CERTIFICATION = 64 + 64 + 384 + 64 + 2;

    IDcapCollateral public immutable collateral;
    /// @dev Whether the collateral's root is a test root: a property of that contract that cannot change.
    bool private immutable _simulated;

    uint32 private _recordCount;
    mapping(uint32 record => uint256 packed) private _records;
    /// @dev Only where there are any.
    mapping(uint32 record => bytes32 digest) private _advisories;

    constructor(IDcapCollateral collateral_) {
        P256.requirePrecompile();
        collateral = collateral_;
        _simulated = collateral_.simulated();
        _requireRoot();
    }

    /// @inheritdoc IDcapVerifier
    function verifyQuote(bytes calldata quote) external returns (QuoteResult memory result) {
        _verify(result, quote);
    }

    /// @inheritdoc IProofVerifier
    function verify(
        bytes calldata proof
    ) external returns (Verdict memory verdict, uint32 record, uint40 until) {
        (Claim memory claim, bytes calldata preimage, bytes calldata quote) = DirectClaim.read(proof);
        bytes32 blockHash = EvidenceBlocks.hashOf(claim.evidenceBlock);
        require(blockHash != 0, EvidenceBlockUnknown(claim.evidenceBlock));
        QuoteResult memory result;
        _verify(result, quote);
        bytes32 expected = DirectClaim.reportDataOf(claim, msg.sender, blockHash);
        require(result.reportDataHigh == expected, ReportDataMismatch(expected, result.reportDataHigh));
        if (claim.isInstance) {
            verdict.composeHash = DirectClaim.composeHash(result, preimage, claim.subject);
            verdict.osImageHash = claim.osImageHash;
        }
        verdict.consumer = msg.sender;
        verdict.subject = claim.subject;
        verdict.key = claim.key;
        verdict.evidenceBlock = claim.evidenceBlock;
        verdict.evidenceBlockHash = blockHash;
        verdict.platformId = result.platformId;
        verdict.measurementDigest = result.measurementDigest;
        verdict.pinnedMeasurementDigest = result.pinnedMeasurementDigest;
        verdict.kind = result.kind;
        verdict.status = result.status;
        verdict.advisoriesDigest = result.advisoriesDigest;
        verdict.evidenceDigest = result.evidenceDigest;
        verdict.gpuDigest = result.reportDataLow;
        verdict.validUntil = result.validUntil;
        verdict.simulated = result.simulated;
        return (verdict, result.record, result.pckNotAfter);
    }

    /// @inheritdoc IDcapVerifier
    function rejudge(uint32 record, bytes calldata facts) external {
        _requireRoot();
        uint256 packed = _recordOf(record);
        bytes memory known = facts;
        _requireFacts(record, packed, known);
        try collateral.judge(DcapFacts.platform(known)) returns (Judgement memory judgement) {
            _keepJudgement(record, packed, judgement);
        } catch (bytes memory reason) {
            // Collateral of now that refuses the platform is a judgement too: without it a platform that Intel gave up would
            // stay live for as long as an app allows stale records. Missing or expired collateral is none.
            FamilyStanding memory family = collateral.familyStanding(packed.family());
            if (!Refusals.isOfPlatform(reason) || family.validUntil <= block.timestamp)
                Refusals.rethrow(reason);
            Judgement memory refusal;
            refusal.family = packed.family();
            refusal.epoch = family.epoch;
            _keepJudgement(record, packed, refusal);
        }
    }

    /// @inheritdoc IProofVerifier
    function standing(uint32 record) external view returns (Standing memory result) {
        _requireRoot();
        uint256 packed = _recordOf(record);
        FamilyStanding memory family = collateral.familyStanding(packed.family());
        result.status = packed.status();
        if (packed.hasAdvisories()) result.advisoriesDigest = _advisories[record];
        result.validUntil = family.validUntil;
        // A refused platform (Unknown) is revoked until it is judged anew.
        result.revoked = result.status == TcbStatus.Unknown;
        if (family.epoch != packed.epoch()) {
            result.staleSince = family.changedAt;
            result.revoked = result.revoked || collateral.isTagRevoked(packed.ca(), packed.tag());
        }
    }

    /// @inheritdoc IDcapVerifier
    function recordCount() external view returns (uint32) {
        return _recordCount;
    }

    /// @inheritdoc IProofVerifier
    function proofSystem() external pure returns (ProofSystem) {
        return ProofSystem.Direct;
    }

    /// @param result filled in; one struct from the first caller to the last, as each new one costs its zeros.
    function _verify(QuoteResult memory result, bytes calldata quote) private {
        _requireRoot();
        require(quote.length != 0, BadQuote(0));
        uint256 form = uint8(quote[0]);
        if (form == KNOWN) return _verifyKnown(result, quote);
        require(form == FIRST || form == FIRST_BY_FIELDS, BadQuote(0));
        _verifyFirst(result, quote);
    }

    /// @dev First use of a platform: CA → PCK certificate → QE report → attestation key → quote, then the judgement, and a
    /// record of it all.
    function _verifyFirst(QuoteResult memory result, bytes calldata quote) private {
        (bytes calldata head, bytes calldata body, TeeKind kind) = QuoteReader.split(quote, 1);
        uint256 pos = 1 + head.length;
        require(quote.length >= pos + CERTIFICATION, BadQuote(quote.length));
        bytes calldata qeReport = quote[pos + 128:pos + 512];
        PckCertificate memory leaf = _requireSigned(quote, head, pos);

        require(!QuoteReader.isDebuggable(qeReport), Debuggable(bytes8(qeReport[48:56])));
        QuoteReader.requireClosed(kind, body);
        bytes memory facts = DcapFacts.encode(kind, leaf, qeReport, body, quote[pos + 64:pos + 128]);
        PlatformTcb memory platform = DcapFacts.platform(facts);
        Judgement memory judgement = collateral.judge(platform);
        _requireCurrent(judgement.validUntil);
        result.record = _keepRecord(facts, platform, judgement);
        (result.status, result.advisoriesDigest) = (judgement.status, judgement.advisoriesDigest);
        _describe(result, head, body, kind, facts, judgement.validUntil);
    }

    /// @dev All cryptography first, then its answers.
    /// @param pos where the signature starts, behind the signed part.
    function _requireSigned(
        bytes calldata quote,
        bytes calldata head,
        uint256 pos
    ) private view returns (PckCertificate memory leaf) {
        bytes calldata key = quote[pos + 64:pos + 128];
        bytes calldata qeReport = quote[pos + 128:pos + 512];
        uint256 leafAt = pos + CERTIFICATION + uint16(bytes2(quote[pos + 576:pos + 578]));
        require(quote.length >= leafAt, BadQuote(quote.length));
        bytes32 expected = sha256(bytes.concat(key, quote[pos + CERTIFICATION:leafAt]));
        leaf =
            uint8(quote[0]) == FIRST
                ? PckLeaf.read(quote[leafAt:], _simulated)
                : PckTemplate.read(quote[leafAt:], _simulated);
        (bytes32 x, bytes32 y) = collateral.caKey(leaf.ca);
        bool isPck = P256.verify(leaf.signedDigest, leaf.r, leaf.s, x, y);
        bool isQe = _isSigned(qeReport, quote[pos + 512:pos + 576], leaf.x, leaf.y);
        bool isQuote = _isSigned(head, quote[pos:pos + 64], bytes32(key[0:32]), bytes32(key[32:64]));

        require(isPck, PckSignatureInvalid());
        require(
            leaf.notBefore <= block.timestamp && block.timestamp < leaf.notAfter,
            PckNotValid(leaf.notBefore, leaf.notAfter, block.timestamp)
        );
        require(isQe, QeSignatureInvalid());
        bytes32 actual = bytes32(qeReport[320:352]);
        require(
            actual == expected && bytes32(qeReport[352:384]) == 0,
            QeReportDataMismatch(expected, actual)
        );
        require(isQuote, QuoteSignatureInvalid());
    }

    /// @dev A platform with a record: its facts, one signature, and what changed of the collateral since.
    function _verifyKnown(QuoteResult memory result, bytes calldata quote) private {
        uint256 pos = 5 + DcapFacts.SIZE;
        require(quote.length >= pos, BadQuote(quote.length));
        result.record = uint32(bytes4(quote[1:5]));
        bytes memory facts = quote[5:pos];
        uint256 packed = _recordOf(result.record);
        (bytes calldata head, bytes calldata body, TeeKind kind) = QuoteReader.split(quote, pos);
        pos += head.length;
        require(quote.length == pos + 64, BadQuote(pos));
        (bytes32 x, bytes32 y) = DcapFacts.attestationKey(facts);
        bool isQuote = _isSigned(head, quote[pos:], x, y);

        _requireFacts(result.record, packed, facts);
        require(
            DcapFacts.kindOf(facts) == kind && (kind == TeeKind.Sgx || DcapFacts.isOfModule(facts, body)),
            RecordMismatch(result.record)
        );
        require(isQuote, QuoteSignatureInvalid());
        uint40 notAfter = DcapFacts.pckNotAfter(facts);
        require(block.timestamp < notAfter, PckNotValid(0, notAfter, block.timestamp));
        QuoteReader.requireClosed(kind, body);
        _describe(result, head, body, kind, facts, _judgeKnown(result, packed, facts));
    }

    /// @dev The record's judgement while its collateral is the same, else a new one, which is kept.
    function _judgeKnown(
        QuoteResult memory result,
        uint256 packed,
        bytes memory facts
    ) private returns (uint40 validUntil) {
        FamilyStanding memory family = collateral.familyStanding(packed.family());
        validUntil = family.validUntil;
        result.status = packed.status();
        if (family.epoch == packed.epoch() && result.status != TcbStatus.Unknown) {
            if (packed.hasAdvisories()) result.advisoriesDigest = _advisories[result.record];
        } else {
            Judgement memory judgement = collateral.judge(DcapFacts.platform(facts));
            validUntil = judgement.validUntil;
            (result.status, result.advisoriesDigest) = (judgement.status, judgement.advisoriesDigest);
            _keepJudgement(result.record, packed, judgement);
        }
        _requireCurrent(validUntil);
    }

    function _describe(
        QuoteResult memory result,
        bytes calldata head,
        bytes calldata body,
        TeeKind kind,
        bytes memory facts,
        uint40 collateralUntil
    ) private view {
        QuoteReader.describe(result, body, kind);
        result.platformId = DcapFacts.platformId(facts);
        // Two platforms can sign the same report: neither's evidence may pass for the other's.
        result.evidenceDigest = Hashes.efficientKeccak256(keccak256(head), result.platformId);
        result.pckNotAfter = DcapFacts.pckNotAfter(facts);
        result.validUntil = collateralUntil < result.pckNotAfter ? collateralUntil : result.pckNotAfter;
        result.simulated = _simulated;
    }

    /// @dev Records are only ever added; the same platform may have several (another TDX module, another attestation key).
    function _keepRecord(
        bytes memory facts,
        PlatformTcb memory platform,
        Judgement memory judgement
    ) private returns (uint32 record) {
        record = ++_recordCount;
        _records[record] = Records.pack(
            PlatformRecord({
                commitment: Records.commitmentOf(facts),
                tag: Serials.tagOf(platform.serial),
                epoch: judgement.epoch,
                family: SafeCast.toUint24(judgement.family),
                status: judgement.status,
                ca: platform.ca,
                hasAdvisories: judgement.advisoriesDigest != 0
            })
        );
        if (judgement.advisoriesDigest != 0) _advisories[record] = judgement.advisoriesDigest;
        emit PlatformRecorded(record, DcapFacts.platformId(facts), facts, msg.sender);
    }

    function _keepJudgement(uint32 record, uint256 packed, Judgement memory judgement) private {
        bytes32 advisories = judgement.advisoriesDigest;
        _records[record] = packed.judged(
            SafeCast.toUint24(judgement.family),
            judgement.epoch,
            judgement.status,
            advisories != 0
        );
        if (advisories != 0 && _advisories[record] != advisories) _advisories[record] = advisories;
        emit RecordJudged(record, packed.status(), judgement.status, advisories, judgement.epoch, msg.sender);
    }

    function _requireRoot() private view {
        require(
            !_simulated || DevelopmentChain.isOne(),
            IDcapCollateral.TestRootOnProductionChain(block.chainid)
        );
    }

    function _requireCurrent(uint40 validUntil) private view {
        require(validUntil > block.timestamp, IDcapCollateral.CollateralExpired(validUntil, block.timestamp));
    }

    function _recordOf(uint32 record) private view returns (uint256 packed) {
        packed = _records[record];
        require(packed != 0, UnknownRecord(record));
    }

    function _requireFacts(uint32 record, uint256 packed, bytes memory facts) private pure {
        require(
            facts.length == DcapFacts.SIZE && packed.commitment() == Records.commitmentOf(facts),
            RecordMismatch(record)
        );
    }

    function _isSigned(
        bytes calldata message,
        bytes calldata signature,
        bytes32 x,
        bytes32 y
    ) private view returns (bool) {
        return P256.verify(sha256(message), bytes32(signature[0:32]), bytes32(signature[32:64]), x, y);
    }
}
