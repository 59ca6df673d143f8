// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";

import {
    FamilyStanding,
    IDcapCollateral,
    Judgement,
    PckCa,
    PlatformTcb
} from "../../interfaces/IDcapCollateral.sol";
import {DcapDocuments, IDcapDocuments} from "../../interfaces/IDcapDocuments.sol";
import {TeeKind} from "../../interfaces/Types.sol";
import {DevelopmentChain} from "../../lib/DevelopmentChain.sol";
import {CodeBlob} from "./CodeBlob.sol";
import {Crl, CrlReader} from "./CrlReader.sol";
import {Signed} from "./DerSigned.sol";
import {IntelNames} from "./IntelNames.sol";
import {Issued, IssuerCertificate} from "./IssuerCertificate.sol";
import {P256} from "./P256.sol";
import {PckNames} from "./PckNames.sol";
import {QeIdentityHeader} from "./QeIdentityParser.sol";
import {Serials} from "./Serials.sol";
import {TcbInfoHeader} from "./TcbInfoParser.sol";
import {TcbParser} from "./TcbParser.sol";
import {TcbRules} from "./TcbRules.sol";

/// @title DcapCollateral
/// @dev Every signature is verified unconditionally, before anything is concluded from what it covers. A use reads two
/// slots: TCB info's, and one that sums up QE identity, CA certificate, its CRL, the root's CRL and the TCB signer.
contract DcapCollateral is IDcapCollateral, IDcapDocuments, Ownable2Step {
    struct Certificate {
        bytes32 x;
        bytes32 y;
        uint160 serial;
        uint40 notBefore;
        uint40 notAfter;
    }

    struct KeptCrl {
        address blob; //       Serials: of this CRL and all before it
        uint40 thisUpdate;
        uint40 nextUpdate;
        uint256 number;
        bytes32 digest; //     SHA-256 of the whole DER
    }

    /// @dev All but TCB info that judgements of one TEE under one PCK CA need, summed up in one slot.
    struct Common {
        uint32 epoch;
        uint40 changedAt;
        uint40 validUntil; //       least of all; 0 where one is missing, revoked or of a signer of the past
        uint32 evaluationNumber; // of the QE identity
        uint16 signer; //           generation of the TCB signer that documents must be of
    }

    /// @dev All of a document that a use needs, in one slot.
    struct Head {
        uint32 epoch;
        uint40 changedAt;
        uint40 nextUpdate;
        uint32 evaluationNumber;
        uint16 signer;
        TeeKind tee;
        uint32 leastNumber; // of evaluation, from `leastFrom` on; TCB info's, for both documents
        uint40 leastFrom;
    }

    /// @dev TCB info of one (tee, fmspc), or the QE identity of one tee.
    struct Document {
        Head head;
        address blob;
        uint40 issuedAt;
        bytes32 digest; //     SHA-256 of the signed text
    }

    bytes32 private immutable _rootX;
    bytes32 private immutable _rootY;
    bool private immutable _simulated;
    /// @notice Parses what Intel signs; its code is fixed with this contract's.
    TcbParser public immutable parser;

    uint16 private _signerGeneration;
    uint16 private _tcbCount;
    /// @dev By CA; None: the TCB signer's, and the root's CRL.
    mapping(PckCa ca => Certificate certificate) private _certificates;
    mapping(PckCa ca => KeptCrl crl) private _crls;
    mapping(TeeKind tee => mapping(PckCa ca => Common common)) private _common;
    mapping(TeeKind tee => Document identity) private _qe;
    mapping(TeeKind tee => mapping(bytes6 fmspc => uint16 index)) private _tcbIndex;
    mapping(uint16 index => Document info) private _tcb;

    /// @param rootX, @param rootY zero for Intel's root; else a test root's key, on chain ids 1337 and 31337 only.
    constructor(address owner, bytes32 rootX, bytes32 rootY) Ownable(owner) {
        bool isTest = rootX != 0 || rootY != 0;
        require(!isTest || DevelopmentChain.isOne(), TestRootOnProductionChain(block.chainid));
        P256.requirePrecompile();
        (_rootX, _rootY) = isTest ? (rootX, rootY) : (IntelNames.ROOT_X, IntelNames.ROOT_Y);
        _simulated = isTest;
        parser = new TcbParser();
    }

    // ---------------------------------------------------------------- certificates and CRLs

    /// @inheritdoc IDcapCollateral
    function putCertificate(bytes calldata der) external {
        _requireRoot();
        Issued memory issued = IssuerCertificate.read(der);
        bool isSigned = _isSignedBy(issued.signed, _rootX, _rootY);
        require(isSigned, BadSignature());
        bytes32 root = IntelNames.root(_simulated);
        require(issued.issuer == root, WrongIssuer(root, issued.issuer));
        require(
            issued.notBefore <= block.timestamp && block.timestamp < issued.notAfter,
            CertificateExpired(issued.notBefore, issued.notAfter, block.timestamp)
        );
        PckCa ca = PckNames.issuer(issued.subject, _simulated);
        bool isSigner = issued.subject == IntelNames.signer(_simulated);
        require(ca != PckCa.None || isSigner, WrongSubject(issued.subject));
        // A CA signs certificates and CRLs (bits 5 and 6), the signer of documents signs (bit 0) and is no CA.
        bool isFit =
            isSigner ? !issued.isCa && issued.usage & 0x80 != 0 : issued.isCa && issued.usage & 0x06 == 0x06;
        require(isFit, WrongSubject(issued.subject));
        require(_isCurrent(_crls[PckCa.None]), CollateralMissing(TeeKind.None, 0, PckCa.None));
        require(!isRevoked(PckCa.None, issued.serial), CertificateRevoked(PckCa.None, issued.serial));
        _keepCertificate(ca, issued);
    }

    function _keepCertificate(PckCa ca, Issued memory issued) private {
        Certificate memory known = _certificates[ca];
        bool isSameKey = known.x == issued.x && known.y == issued.y;
        // Records rest on the CA's key and do not name it: another key needs another contract. The signer's documents do not
        // outlive it, so it may change; what it had signed is to be brought again.
        require(ca == PckCa.None || known.x == 0 || isSameKey, CaKeyChanged(ca));
        require(issued.notBefore >= known.notBefore, CollateralOlder(known.notBefore, issued.notBefore));
        _certificates[ca] = Certificate(
            issued.x,
            issued.y,
            uint160(issued.serial),
            issued.notBefore,
            issued.notAfter
        );
        if (ca == PckCa.None && !isSameKey) ++_signerGeneration;
        emit CertificateKept(ca, issued.x, issued.y, issued.serial, issued.notAfter, msg.sender);
        _sumUp();
    }

    /// @inheritdoc IDcapCollateral
    function putCrl(bytes calldata der) external {
        _requireRoot();
        Crl memory crl = CrlReader.read(der);
        bytes32 root = IntelNames.root(_simulated);
        PckCa ca = PckNames.issuer(crl.issuer, _simulated);
        require(ca != PckCa.None || crl.issuer == root, WrongIssuer(root, crl.issuer));
        (bytes32 x, bytes32 y) = ca == PckCa.None ? (_rootX, _rootY) : _currentKey(ca);
        bool isSigned = _isSignedBy(crl.signed, x, y);
        require(isSigned, BadSignature());
        require(crl.thisUpdate <= block.timestamp, NotYetIssued(crl.thisUpdate, block.timestamp));
        require(crl.nextUpdate > block.timestamp, CollateralExpired(crl.nextUpdate, block.timestamp));
        KeptCrl memory known = _crls[ca];
        require(crl.number >= known.number, CollateralOlder(known.number, crl.number));
        require(crl.thisUpdate >= known.thisUpdate, CollateralOlder(known.thisUpdate, crl.thisUpdate));

        bytes memory old = CodeBlob.read(known.blob);
        bytes memory serials = Serials.union(old, crl.serials);
        bool isChanged = known.thisUpdate == 0 || serials.length != old.length;
        address blob = isChanged ? CodeBlob.keep(serials) : known.blob;
        _crls[ca] = KeptCrl(blob, crl.thisUpdate, crl.nextUpdate, crl.number, sha256(der));
        if (isChanged) _raise(ca);
        _sumUp();
        emit CrlKept(
            ca,
            crl.number,
            crl.thisUpdate,
            crl.nextUpdate,
            serials.length / 20,
            blob,
            _common[TeeKind.Tdx][ca].epoch,
            msg.sender
        );
    }

    // ---------------------------------------------------------------- documents

    /// @inheritdoc IDcapCollateral
    function putQeIdentity(bytes calldata json, bytes calldata signature) external {
        bytes32 document = _requireSignedDocument(json, signature);
        (QeIdentityHeader memory header, bytes memory blob) = parser.parseQeIdentity(json);
        Document storage kept = _qe[header.tee];
        if (
            _keepDocument(kept, blob, document, header.issuedAt, header.nextUpdate, header.evaluationNumber)
        ) {
            _raiseOne(header.tee, PckCa.Platform);
            _raiseOne(header.tee, PckCa.Processor);
        }
        _sumUp();
        emit QeIdentityKept(
            header.tee,
            document,
            header.evaluationNumber,
            header.issuedAt,
            header.nextUpdate,
            kept.head.epoch,
            msg.sender
        );
    }

    /// @inheritdoc IDcapCollateral
    function putTcbInfo(bytes calldata json, bytes calldata signature) external {
        bytes32 document = _requireSignedDocument(json, signature);
        (TcbInfoHeader memory header, bytes memory blob) = parser.parseTcbInfo(json);
        Document storage kept = _tcb[_indexOf(header.tee, header.fmspc)];
        _keepDocument(kept, blob, document, header.issuedAt, header.nextUpdate, header.evaluationNumber);
        emit TcbInfoKept(
            header.tee,
            header.fmspc,
            document,
            header.evaluationNumber,
            header.issuedAt,
            header.nextUpdate,
            kept.head.epoch,
            kept.blob,
            msg.sender
        );
    }

    /// @inheritdoc IDcapCollateral
    function setMinEvaluationNumber(bytes6 fmspc, uint32 number, uint40 effectiveAt) external onlyOwner {
        TeeKind[2] memory tees = [TeeKind.Tdx, TeeKind.Sgx];
        uint32 old = _tcb[_indexOf(TeeKind.Tdx, fmspc)].head.leastNumber;
        require(number >= old, EvaluationNumberTooLow(old, number));
        for (uint256 i = 0; i < tees.length; ++i) {
            Head storage head = _tcb[_indexOf(tees[i], fmspc)].head;
            // What is in force stays so: a higher number with a later time would else free the lower one.
            require(
                head.leastNumber == 0 || head.leastFrom > block.timestamp || effectiveAt <= block.timestamp,
                MinimumInForce(head.leastNumber, head.leastFrom)
            );
            (head.leastNumber, head.leastFrom) = (number, effectiveAt);
        }
        emit MinEvaluationNumberChanged(fmspc, old, number, effectiveAt, msg.sender);
    }

    // ---------------------------------------------------------------- judgement

    /// @inheritdoc IDcapCollateral
    function judge(PlatformTcb calldata platform) external view returns (Judgement memory judgement) {
        _requireRoot();
        uint16 index = _tcbIndex[platform.tee][platform.fmspc];
        Document storage tcb = _tcb[index];
        Document storage qe = _qe[platform.tee];
        Head memory info = tcb.head;
        Common memory common = _common[platform.tee][platform.ca];
        require(
            info.nextUpdate != 0 && common.validUntil != 0,
            CollateralMissing(platform.tee, platform.fmspc, platform.ca)
        );
        uint32 number =
            info.evaluationNumber < common.evaluationNumber ? info.evaluationNumber : common.evaluationNumber;
        require(
            number >= info.leastNumber || block.timestamp < info.leastFrom,
            EvaluationNumberTooLow(info.leastNumber, number)
        );
        judgement.validUntil = _validUntil(info, common);
        require(
            judgement.validUntil > block.timestamp,
            CollateralExpired(judgement.validUntil, block.timestamp)
        );
        require(!isRevoked(platform.ca, platform.serial), CertificateRevoked(platform.ca, platform.serial));
        (judgement.status, judgement.advisoriesDigest) = TcbRules.judge(
            CodeBlob.read(tcb.blob),
            CodeBlob.read(qe.blob),
            platform
        );
        judgement.family = (uint32(index) << 2) | uint32(platform.ca);
        judgement.epoch = info.epoch + common.epoch;
    }

    /// @inheritdoc IDcapCollateral
    function familyStanding(uint32 family) external view returns (FamilyStanding memory standing) {
        _requireRoot();
        // It runs at every use, so each slot is read once, whole: Head and Common from their lowest bits, as declared.
        Head storage head = _tcb[uint16(family >> 2)].head;
        uint256 info;
        assembly ("memory-safe") {
            info := sload(head.slot)
        }
        if (family >> 18 != 0 || info == 0 || family & 3 > uint32(type(PckCa).max)) return standing;
        Common storage both = _common[TeeKind(uint8(info >> 160))][PckCa(family & 3)];
        uint256 common;
        assembly ("memory-safe") {
            common := sload(both.slot)
        }
        standing.epoch = uint32(info) + uint32(common);
        standing.changedAt = uint40(info >> 32);
        if (uint40(common >> 32) > standing.changedAt) standing.changedAt = uint40(common >> 32);
        if (uint16(info >> 144) != uint16(common >> 144)) return standing;
        uint40 until = _least(uint40(info >> 72), uint40(common >> 72));
        uint32 leastNumber = uint32(info >> 168);
        if (uint32(info >> 112) < leastNumber || uint32(common >> 112) < leastNumber)
            until = _least(until, uint40(info >> 200));
        standing.validUntil = until;
    }

    /// @inheritdoc IDcapCollateral
    function caKey(PckCa ca) external view returns (bytes32 x, bytes32 y) {
        _requireRoot();
        (x, y) = (_certificates[ca].x, _certificates[ca].y);
        require(ca != PckCa.None && (x != 0 || y != 0), CollateralMissing(TeeKind.None, 0, ca));
    }

    /// @inheritdoc IDcapCollateral
    function isRevoked(PckCa ca, uint256 serial) public view returns (bool) {
        _requireRoot();
        return Serials.has(CodeBlob.read(_crls[ca].blob), serial);
    }

    /// @inheritdoc IDcapCollateral
    function isTagRevoked(PckCa ca, uint32 tag) external view returns (bool) {
        _requireRoot();
        return Serials.hasTag(CodeBlob.read(_crls[ca].blob), tag);
    }

    /// @inheritdoc IDcapCollateral
    function simulated() external view override(IDcapCollateral, IDcapDocuments) returns (bool) {
        _requireRoot();
        return _simulated;
    }

    /// @inheritdoc IDcapDocuments
    function documentsOf(
        TeeKind tee,
        bytes6 fmspc,
        PckCa ca
    ) external view returns (DcapDocuments memory documents, uint40 validUntil) {
        _requireRoot();
        Document storage tcb = _tcb[_tcbIndex[tee][fmspc]];
        Document storage qe = _qe[tee];
        require(
            tcb.head.nextUpdate != 0 && qe.head.nextUpdate != 0 && _common[tee][ca].validUntil != 0,
            CollateralMissing(tee, fmspc, ca)
        );
        validUntil = _validUntil(tcb.head, _common[tee][ca]);
        require(validUntil > block.timestamp, CollateralExpired(validUntil, block.timestamp));
        documents = DcapDocuments(tcb.digest, qe.digest, _crls[ca].digest, _crls[PckCa.None].digest);
    }

    // ---------------------------------------------------------------- parts

    function _requireSignedDocument(
        bytes calldata json,
        bytes calldata signature
    ) private view returns (bytes32 document) {
        _requireRoot();
        require(signature.length == 64, BadSignature());
        (bytes32 x, bytes32 y) = _currentKey(PckCa.None);
        document = sha256(json);
        bool isSigned = P256.verify(document, bytes32(signature[0:32]), bytes32(signature[32:64]), x, y);
        require(isSigned, BadSignature());
    }

    /// @dev Key of a PCK CA, or (None) of the TCB signer, whose certificate is valid and not revoked by the root's CRL.
    function _currentKey(PckCa ca) private view returns (bytes32 x, bytes32 y) {
        Certificate memory signer = _certificates[ca];
        require(signer.notAfter != 0, CollateralMissing(TeeKind.None, 0, ca));
        require(
            signer.notAfter > block.timestamp,
            CertificateExpired(signer.notBefore, signer.notAfter, block.timestamp)
        );
        require(_isCurrent(_crls[PckCa.None]), CollateralMissing(TeeKind.None, 0, PckCa.None));
        require(!isRevoked(PckCa.None, signer.serial), CertificateRevoked(PckCa.None, signer.serial));
        return (signer.x, signer.y);
    }

    /// @dev Equal content under newer dates renews them, and nothing else: no epoch rises, no code is deployed.
    function _keepDocument(
        Document storage kept,
        bytes memory blob,
        bytes32 document,
        uint40 issuedAt,
        uint40 nextUpdate,
        uint32 evaluationNumber
    ) private returns (bool isChanged) {
        require(issuedAt <= block.timestamp, NotYetIssued(issuedAt, block.timestamp));
        require(nextUpdate > block.timestamp, CollateralExpired(nextUpdate, block.timestamp));
        require(issuedAt >= kept.issuedAt, CollateralOlder(kept.issuedAt, issuedAt));
        Head memory head = kept.head;
        require(
            evaluationNumber >= head.evaluationNumber,
            EvaluationNumberTooLow(head.evaluationNumber, evaluationNumber)
        );
        isChanged = kept.blob == address(0) || keccak256(CodeBlob.read(kept.blob)) != keccak256(blob);
        if (isChanged) {
            kept.blob = CodeBlob.keep(blob);
            ++head.epoch;
            head.changedAt = uint40(block.timestamp);
        }
        (head.nextUpdate, head.evaluationNumber) = (nextUpdate, evaluationNumber);
        head.signer = _signerGeneration;
        kept.head = head;
        kept.issuedAt = issuedAt;
        kept.digest = document;
    }

    function _indexOf(TeeKind tee, bytes6 fmspc) private returns (uint16 index) {
        index = _tcbIndex[tee][fmspc];
        if (index != 0) return index;
        index = ++_tcbCount;
        _tcbIndex[tee][fmspc] = index;
        _tcb[index].head.tee = tee;
    }

    /// @dev What a CRL revokes changes judgements under its CA; the root's, under both.
    function _raise(PckCa ca) private {
        for (uint8 each = uint8(PckCa.Platform); each <= uint8(PckCa.Processor); ++each) {
            if (ca != PckCa.None && ca != PckCa(each)) continue;
            _raiseOne(TeeKind.Tdx, PckCa(each));
            _raiseOne(TeeKind.Sgx, PckCa(each));
        }
    }

    function _raiseOne(TeeKind tee, PckCa ca) private {
        Common storage common = _common[tee][ca];
        ++common.epoch;
        common.changedAt = uint40(block.timestamp);
    }

    /// @dev Brings the sums up to date with certificates, CRLs and QE identities.
    function _sumUp() private {
        uint40 both = _least(_certificates[PckCa.None].notAfter, _crls[PckCa.None].nextUpdate);
        bytes memory revoked = CodeBlob.read(_crls[PckCa.None].blob);
        // A missing part has a zero time, and zero is the least.
        if (Serials.has(revoked, _certificates[PckCa.None].serial)) both = 0;
        for (uint8 each = uint8(PckCa.Platform); each <= uint8(PckCa.Processor); ++each) {
            Certificate storage own = _certificates[PckCa(each)];
            uint40 until = _least(both, _least(own.notAfter, _crls[PckCa(each)].nextUpdate));
            if (Serials.has(revoked, own.serial)) until = 0;
            _sumUpOne(TeeKind.Tdx, PckCa(each), until);
            _sumUpOne(TeeKind.Sgx, PckCa(each), until);
        }
    }

    function _sumUpOne(TeeKind tee, PckCa ca, uint40 until) private {
        Head storage identity = _qe[tee].head;
        Common storage common = _common[tee][ca];
        common.validUntil = identity.signer == _signerGeneration ? _least(until, identity.nextUpdate) : 0;
        common.evaluationNumber = identity.evaluationNumber;
        common.signer = _signerGeneration;
    }

    /// @dev End of the intersection, with the minimum evaluation number that governance has set; zero where something is
    /// missing or signed by a signer of the past.
    function _validUntil(Head memory info, Common memory common) private pure returns (uint40 until) {
        if (info.signer != common.signer) return 0;
        until = _least(info.nextUpdate, common.validUntil);
        if (info.evaluationNumber < info.leastNumber || common.evaluationNumber < info.leastNumber)
            until = _least(until, info.leastFrom);
    }

    function _isSignedBy(Signed memory signed, bytes32 x, bytes32 y) private view returns (bool) {
        return P256.verify(signed.digest, signed.r, signed.s, x, y);
    }

    function _isCurrent(KeptCrl storage crl) private view returns (bool) {
        return crl.nextUpdate > block.timestamp;
    }

    function _requireRoot() private view {
        require(!_simulated || DevelopmentChain.isOne(), TestRootOnProductionChain(block.chainid));
    }

    function _least(uint40 a, uint40 b) private pure returns (uint40) {
        return a < b ? a : b;
    }
}
