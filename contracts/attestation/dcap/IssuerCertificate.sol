// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IDcapVerifier} from "../../interfaces/IDcapVerifier.sol";
import {DerSigned, Signed} from "./DerSigned.sol";
import {DerSpan} from "./DerSpan.sol";
import {DerTime} from "./DerTime.sol";

/// @notice What a certificate under the root says, before its signature is judged.
struct Issued {
    Signed signed;
    bytes32 issuer; //  keccak256 of the whole name in DER
    bytes32 subject;
    uint256 serial; //  positive, at most 20 bytes
    uint40 notBefore;
    uint40 notAfter;
    bytes32 x;
    bytes32 y;
    bool isCa; //       basicConstraints: cA TRUE with path length 0
    uint8 usage; //     first byte of keyUsage
}

/// @title IssuerCertificate: a PCK CA's or the TCB signer's certificate in strict DER (X.690 §10; RFC 5280 §4; Intel SGX PCK
/// Certificate and CRL Profile Specification §1.3)
/// @dev protocol/der/certificate.ts is its twin.
library IssuerCertificate {
    uint256 private constant MAX_BYTES = 4_096;
    uint256 private constant MAX_EXTENSIONS = 32;
    /// @dev SubjectPublicKeyInfo of an uncompressed point on P-256 (RFC 5480 §2.1.1) up to the point's coordinates.
    uint256 private constant P256_KEY = 0x3059301306072a8648ce3d020106082a8648ce3d03010703420004;
    /// @dev [0] EXPLICIT INTEGER 2: version 3.
    uint256 private constant VERSION_3 = 0xa003020102;
    uint256 private constant KEY_USAGE = 15;
    uint256 private constant BASIC_CONSTRAINTS = 19;
    uint256 private constant UNDERSTOOD = (1 << KEY_USAGE) | (1 << BASIC_CONSTRAINTS);

    /// @dev Reverts BadCertificate(offset) for anything that is no such certificate.
    function read(bytes calldata der) internal pure returns (Issued memory issued) {
        issued.signed = DerSigned.read(der, MAX_BYTES);
        uint256 base = issued.signed.base;
        uint256 end = issued.signed.tbsEnd;
        uint256 pos = issued.signed.content;
        uint256 next;
        require(DerSpan.word(base, pos) >> 216 == VERSION_3, IDcapVerifier.BadCertificate(pos));
        (issued.serial, pos) = DerSpan.unsigned(base, pos + 5, end, 20);
        require(issued.serial != 0, IDcapVerifier.BadCertificate(pos));
        pos = DerSigned.skipAlgorithm(base, pos);
        (, next) = DerSpan.enter(base, pos, end, 0x30);
        issued.issuer = DerSpan.hash(base, pos, next);
        (pos, next) = DerSpan.enter(base, next, end, 0x30);
        (issued.notBefore, pos) = DerTime.read(base, pos, next);
        (issued.notAfter, pos) = DerTime.read(base, pos, next);
        require(pos == next, IDcapVerifier.BadCertificate(pos));
        (, next) = DerSpan.enter(base, pos, end, 0x30);
        issued.subject = DerSpan.hash(base, pos, next);
        pos = next;
        require(DerSpan.word(base, pos) >> 40 == P256_KEY, IDcapVerifier.BadCertificate(pos));
        require(pos + 91 <= end, IDcapVerifier.BadCertificate(pos));
        (issued.x, issued.y) = (bytes32(DerSpan.word(base, pos + 27)), bytes32(DerSpan.word(base, pos + 59)));
        _readExtensions(issued, base, pos + 91, end);
    }

    /// @dev To the end of the signed part; each once. keyUsage and basicConstraints must stand.
    function _readExtensions(Issued memory issued, uint256 base, uint256 pos, uint256 end) private pure {
        uint256 next;
        (pos, next) = DerSpan.enter(base, pos, end, 0xa3);
        require(next == end, IDcapVerifier.BadCertificate(next));
        (pos, next) = DerSpan.enter(base, pos, end, 0x30);
        require(next == end, IDcapVerifier.BadCertificate(next));
        uint256 count = 0;
        uint256 seen = 0;
        while (pos != end) {
            (bytes32 id, uint256 value, uint256 after_) = DerSigned.extension(base, pos, end, UNDERSTOOD);
            // Intel's certificates have extensions under id-ce (2.5.29) only; others could not be told apart below.
            require(uint256(id) < 128, IDcapVerifier.BadCertificate(pos));
            require(++count <= MAX_EXTENSIONS, IDcapVerifier.BadCertificate(pos));
            require((seen >> uint256(id)) & 1 == 0, IDcapVerifier.BadCertificate(pos));
            seen |= 1 << uint256(id);
            if (uint256(id) == KEY_USAGE) issued.usage = _keyUsage(base, value, after_);
            else if (uint256(id) == BASIC_CONSTRAINTS) issued.isCa = _isCa(base, value, after_);
            pos = after_;
        }
        require(seen & UNDERSTOOD == UNDERSTOOD, IDcapVerifier.BadCertificate(end));
    }

    /// @dev One byte of bits, its unused ones zero and its last used one not (X.690 §11.2).
    function _keyUsage(uint256 base, uint256 value, uint256 end) private pure returns (uint8 bits) {
        uint256 head = DerSpan.word(base, value);
        uint256 unused = (head >> 232) & 0xff;
        bits = uint8(head >> 224);
        require(
            end - value == 4 &&
                head >> 240 == 0x0302 &&
                unused < 8 &&
                bits & ((1 << unused) - 1) == 0 &&
                bits != 0,
            IDcapVerifier.BadCertificate(value)
        );
    }

    /// @dev SEQUENCE {} of a leaf, or { TRUE, 0 } of a CA below which only leaves may stand: the profile has no other.
    function _isCa(uint256 base, uint256 value, uint256 end) private pure returns (bool) {
        uint256 head = DerSpan.word(base, value);
        if (end - value == 2 && head >> 240 == 0x3000) return false;
        require(end - value == 8 && head >> 192 == 0x30060101ff020100, IDcapVerifier.BadCertificate(value));
        return true;
    }
}
