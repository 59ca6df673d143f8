// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {TcbStatus, TeeKind} from "./Types.sol";

/// @notice Which of Intel's two CAs issued a PCK certificate, by its common name.
enum PckCa {
    None,
    Platform, //  "Intel SGX PCK Platform CA"
    Processor // "Intel SGX PCK Processor CA"
}

/// @notice What a PCK certificate, a quoting enclave's report and a TD's report say of a platform: all that Intel's
/// documents judge. Every byte string is in the order of the source structure.
struct PlatformTcb {
    TeeKind tee; //               Tdx or Sgx
    PckCa ca;
    uint256 serial; //            of the PCK certificate; positive, at most 20 bytes
    bytes6 fmspc;
    bytes2 pceId;
    uint16 pceSvn;
    bytes16 sgxSvns; //           component 1 first
    bytes4 qeMiscSelect;
    bytes16 qeAttributes;
    bytes32 qeMrSigner;
    uint16 qeIsvProdId;
    uint16 qeIsvSvn;
    bytes16 teeTcbSvn; //         TDX only, else zero
    bytes32 seamIdentity; //      TDX only: keccak256(MRSIGNERSEAM (48) ‖ SEAMATTRIBUTES (8)), else zero
    bytes8 seamAttributes; //     TDX only
}

/// @notice Intel's judgement of a platform, by the collateral of now.
struct Judgement {
    TcbStatus status; //         platform, QE and module converged
    bytes32 advisoriesDigest; // of the union of their advisories, sorted; zero when there are none
    uint40 validUntil; //        end of the intersection of all collateral
    uint32 family; //            number of (tee, fmspc, ca): what `familyStanding` is asked by
    uint32 epoch; //             of that family; rises only when the content of a judgement may have changed
}

/// @notice How the collateral of one family (tee, fmspc, ca) stands now.
struct FamilyStanding {
    uint32 epoch; //      sum of the epochs of TCB info, QE identity, PCK CRL and root CRL
    uint40 changedAt; //  seconds of the last rise
    uint40 validUntil; // end of the intersection of all collateral; in the past or zero: none is valid
}

/// @title DcapCollateral: what Intel publishes to judge quotes by, verified once, kept packed
/// @notice Anyone may bring collateral; each piece is verified against the one root of this contract, and none may go
/// back: issue date, evaluation number and CRL number never fall.
/// Roots: Intel's key is a constant. Another root is accepted at construction, and at each use, on chain ids 1337 and
/// 31337 only; `simulated` says that this is one.
interface IDcapCollateral {
    /// @notice A PCK CA's or the TCB signer's certificate was verified. `ca` None: the TCB signing certificate.
    event CertificateKept(
        PckCa indexed ca,
        bytes32 x,
        bytes32 y,
        uint256 serial,
        uint40 notAfter,
        address actor
    );
    /// @notice A CRL was verified. `ca` None: the root's CRL. `blob`: code that holds the `count` serials that it and the
    /// CRLs before it name, 20 bytes each, ascending.
    event CrlKept(
        PckCa indexed ca,
        uint256 number,
        uint40 thisUpdate,
        uint40 nextUpdate,
        uint256 count,
        address blob,
        uint32 epoch,
        address actor
    );
    /// @notice TCB info was verified. `document` is SHA-256 of the signed text; `blob` holds it packed.
    event TcbInfoKept(
        TeeKind indexed tee,
        bytes6 indexed fmspc,
        bytes32 document,
        uint32 evaluationNumber,
        uint40 issuedAt,
        uint40 nextUpdate,
        uint32 epoch,
        address blob,
        address actor
    );
    /// @notice A quoting enclave's identity was verified.
    event QeIdentityKept(
        TeeKind indexed tee,
        bytes32 document,
        uint32 evaluationNumber,
        uint40 issuedAt,
        uint40 nextUpdate,
        uint32 epoch,
        address actor
    );
    event MinEvaluationNumberChanged(
        bytes6 indexed fmspc,
        uint32 oldNumber,
        uint32 newNumber,
        uint40 effectiveAt,
        address actor
    );

    error TestRootOnProductionChain(uint256 chainId);
    error P256Unavailable();
    error BadSignature();
    error CertificateExpired(uint40 notBefore, uint40 notAfter, uint256 timestamp);
    error CaKeyChanged(PckCa ca);
    error MinimumInForce(uint32 number, uint40 effectiveAt);
    error CertificateRevoked(PckCa ca, uint256 serial);
    error WrongIssuer(bytes32 expectedHash, bytes32 actualHash);
    error WrongSubject(bytes32 actualHash);
    error NotYetIssued(uint40 issuedAt, uint256 timestamp);
    error CollateralExpired(uint40 validUntil, uint256 timestamp);
    error CollateralMissing(TeeKind tee, bytes6 fmspc, PckCa ca);
    error CollateralOlder(uint256 known, uint256 actual);
    error EvaluationNumberTooLow(uint32 least, uint32 actual);
    error QeIdentityMismatch();
    error QeTcbNotCovered(uint16 isvSvn);
    error ModuleIdentityMismatch(uint8 version);
    error ModuleTcbNotCovered(uint8 version, uint8 svn);
    error PlatformTcbNotCovered();
    error PceIdMismatch(bytes2 expected, bytes2 actual);
    /// @dev `offset`: of the first token of a document that Intel's grammar does not have there.
    error BadJson(uint256 offset);

    /// @notice Verifies and keeps a PCK CA's certificate or the TCB signer's (by its subject), in DER.
    function putCertificate(bytes calldata der) external;
    /// @notice Verifies and keeps a CRL in DER: the root's or a PCK CA's (by its issuer). A CRL has at most
    /// 1,200 entries, and 1,228 serials of one issuer can be kept: BadCertificate or BlobNotKept beyond.
    function putCrl(bytes calldata der) external;
    /// @notice Verifies and keeps a QE or TD-QE identity. @param json exact signed text. @param signature r ‖ s.
    function putQeIdentity(bytes calldata json, bytes calldata signature) external;
    /// @notice Verifies and keeps TCB info of TDX or SGX, version 3.
    function putTcbInfo(bytes calldata json, bytes calldata signature) external;

    /// @notice Judges a platform by the collateral of now. Reverts where anything is missing, expired, revoked or not
    /// covered: no answer is a denial.
    function judge(PlatformTcb calldata platform) external view returns (Judgement memory);
    /// @notice How the collateral of a family stands; all zero for an unknown family. Reverts TestRootOnProductionChain and
    /// nothing else.
    function familyStanding(uint32 family) external view returns (FamilyStanding memory);
    /// @notice Public key of a PCK CA; reverts where none is kept. Its certificate may have ended or been revoked since:
    /// `judge` refuses then.
    function caKey(PckCa ca) external view returns (bytes32 x, bytes32 y);
    /// @notice Whether a CRL of this CA that was kept (for None: the root's) lists this serial. Revoked stays revoked.
    function isRevoked(PckCa ca, uint256 serial) external view returns (bool);
    /// @notice Whether any serial that is revoked under this CA has this tag: the first 32 of its 160 bits.
    function isTagRevoked(PckCa ca, uint32 tag) external view returns (bool);
    /// @notice Whether the root is a test root. Reverts on production chains when it is.
    function simulated() external view returns (bool);

    /// @notice Least evaluation number of TCB info and QE identity for a family from `effectiveAt` on (governance); until
    /// then the previous set counts. Owner (the Timelock) only.
    function setMinEvaluationNumber(bytes6 fmspc, uint32 number, uint40 effectiveAt) external;
}
