// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IProofVerifier} from "./IProofVerifier.sol";
import {TcbStatus, TeeKind} from "./Types.sol";

/// @notice A verified quote, before anybody asks what it is bound to.
struct QuoteResult {
    TeeKind kind;
    TcbStatus status;
    bytes32 advisoriesDigest;
    bytes32 platformId; //              SHA-256 of the PPID
    bytes32 evidenceDigest; //          keccak256(keccak256(head) ‖ platform id), head as below: signatures
    //                                  can be written in more than one way, and two platforms can sign the same head
    bytes32 measurementDigest; //       TDX: keccak256(MRTD‖RTMR1‖RTMR2). SGX: keccak256(MRENCLAVE)
    bytes32 pinnedMeasurementDigest; // TDX: keccak256(MRTD‖RTMR1‖RTMR2‖RTMR0). SGX: keccak256(MRENCLAVE‖MRSIGNER‖
    //                                  ISVPRODID‖ISVSVN), the two numbers as in the report
    bytes32 measurements; //            TDX: keccak256(MRSEAM‖MRSIGNERSEAM‖SEAMATTRIBUTES‖TDATTRIBUTES‖XFAM‖MRTD‖
    //                                  MRCONFIGID‖MROWNER‖MROWNERCONFIG‖RTMR0..3), as in the body. SGX: of its whole body
    bytes32 mrConfigIdHigh; //          MRCONFIGID[0:32]; zero for SGX
    bytes16 mrConfigIdLow; //           MRCONFIGID[32:48]
    bytes32 reportDataHigh; //          report data [0:32]
    bytes32 reportDataLow; //           report data [32:64]
    uint40 validUntil; //               end of the intersection of all collateral and certificates
    uint40 pckNotAfter; //              end of the PCK certificate
    bool simulated;
    uint32 record; //                   this platform's record
}

/// @title DcapVerifier: Intel TDX (quote versions 4 and 5) and SGX (version 3) quotes, verified here
/// @notice `quote` arguments are packed, not ABI-encoded. First use of a platform:
///   0x01 ‖ head ‖ signature (64) ‖ attestation key (64) ‖ QE report (384) ‖ QE report signature (64)
///        ‖ length of QE authentication data (2, big-endian) ‖ that data ‖ PCK certificate (DER)
/// or the same with 0x03 and, in place of the certificate, the fields of one of the usual form (PckTemplate): 29,000 gas
/// less.
/// A platform with a record:
///   0x02 ‖ record (4) ‖ facts (309, as `PlatformRecorded` emitted them; the attestation key is their end) ‖ head
///        ‖ signature (64)
/// where head is the signed part of the quote: header ‖ body (version 5: with its body descriptor).
/// A verdict (IProofVerifier.verify) prefixes the quote by its claim:
///   purpose (1: 1 node, 2 instance) ‖ subject (20) ‖ key (20) ‖ evidence block (8) [‖ osImageHash (32)
///   ‖ length of MRCONFIGID V2's preimage (1) ‖ compose hash (32) ‖ app id (20) ‖ kind (1) ‖ id; length 0 for V1]
///   with the bracket for instances only.
interface IDcapVerifier is IProofVerifier {
    /// @notice A platform's PCK certificate, QE report and attestation key were verified. Append-only.
    event PlatformRecorded(uint32 indexed record, bytes32 indexed platformId, bytes facts, address actor);
    /// @notice A record was judged anew by newer collateral.
    event RecordJudged(
        uint32 indexed record,
        TcbStatus oldStatus,
        TcbStatus newStatus,
        bytes32 advisoriesDigest,
        uint32 epoch,
        address actor
    );

    error BadQuote(uint256 offset);
    error BadCertificate(uint256 offset);
    error QuoteSignatureInvalid();
    error QeSignatureInvalid();
    error PckSignatureInvalid();
    error QeReportDataMismatch(bytes32 expected, bytes32 actual);
    error UnsupportedQuote(uint16 version, uint16 keyType, uint32 tee, bytes16 vendor);
    error Debuggable(bytes8 attributes);
    error AttributesNotAllowed(bytes8 attributes);
    error XfamNotAllowed(bytes8 xfam);
    error ServiceTdBound();
    error PckNotValid(uint40 notBefore, uint40 notAfter, uint256 timestamp);
    error RecordMismatch(uint32 record);
    error BadClaim(uint256 offset);
    error ReportDataMismatch(bytes32 expected, bytes32 actual);
    error ComposeHashNotBound(bytes32 mrConfigIdHigh);
    error WrongApp(address expected, address actual);
    error EvidenceBlockUnknown(uint64 evidenceBlock);

    /// @notice Verifies a quote, and on first use keeps the platform's record. Anyone may call, for any purpose.
    function verifyQuote(bytes calldata quote) external returns (QuoteResult memory);
    /// @notice Judges a record by the collateral of now, without signatures. Anyone may call. Where valid collateral refuses
    /// the platform (its certificate is revoked, no level covers it, its quoting enclave or TDX module is none of Intel's
    /// any more), the record's status becomes Unknown, which denies at once; a later judgement may lift it. Reverts where
    /// collateral is missing or expired.
    /// @param facts as emitted by PlatformRecorded.
    function rejudge(uint32 record, bytes calldata facts) external;
    function recordCount() external view returns (uint32);
}
