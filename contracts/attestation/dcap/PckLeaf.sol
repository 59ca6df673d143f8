// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IDcapVerifier} from "../../interfaces/IDcapVerifier.sol";
import {PckCa} from "../../interfaces/IDcapCollateral.sol";
import {DerSpan} from "./DerSpan.sol";
import {DerTime} from "./DerTime.sol";
import {Draft} from "./Draft.sol";
import {PckNames} from "./PckNames.sol";
import {SgxExtension, SgxFacts} from "./SgxExtension.sol";

/// @notice What a PCK certificate says, before its signature is judged.
struct PckCertificate {
    PckCa ca; //           who issued it, by the issuer's name
    uint256 serial; //     positive, at most 20 bytes
    uint40 notBefore;
    uint40 notAfter;
    bytes32 x; //          its public key
    bytes32 y;
    bytes32 signedDigest; // SHA-256 of the signed part
    bytes32 signedHash; //   keccak256 of the same
    bytes32 r; //          its signature
    bytes32 s;
    SgxFacts sgx;
}

/// @title PckLeaf: a PCK certificate in strict DER (X.690 §10; RFC 5280 §4; Intel SGX PCK Certificate and CRL Profile
/// Specification §1.3.5)
/// @dev One pass from left to right over call data; nothing is skipped unread but the values of extensions that mean
/// nothing here. protocol/der/certificate.ts and protocol/evidence/dcap/pckExtensions.ts are its twins; where the profile
/// fixes more than they ask (whole names, keyUsage and basicConstraints present), this reader insists on the profile.
library PckLeaf {
    /// @dev As in the TypeScript reader.
    uint256 private constant MAX_BYTES = 16_384;
    uint256 private constant MAX_EXTENSIONS = 32;
    /// @dev AlgorithmIdentifier of ecdsa-with-SHA256 (RFC 5758 §3.2): it has one encoding in DER.
    uint256 private constant ECDSA_SHA256 = 0x300a06082a8648ce3d040302;
    /// @dev SubjectPublicKeyInfo of an uncompressed point on P-256 (RFC 5480 §2.1.1) up to the point's coordinates.
    uint256 private constant P256_KEY = 0x3059301306072a8648ce3d020106082a8648ce3d03010703420004;
    /// @dev [0] EXPLICIT INTEGER 2: version 3.
    uint256 private constant VERSION_3 = 0xa003020102;
    /// @dev Extensions as bits: 2.5.29.15, 2.5.29.19, Intel's.
    uint256 private constant KEY_USAGE = 1 << 15;
    uint256 private constant BASIC_CONSTRAINTS = 1 << 19;
    uint256 private constant SGX = 1 << 128;
    uint256 private constant REQUIRED = KEY_USAGE | BASIC_CONSTRAINTS | SGX;

    /// @param simulated whether the names are the test vendor's instead of Intel's.
    /// @dev Reverts BadCertificate(offset) for anything that is no such certificate. The signature is not verified here.
    function read(bytes calldata der, bool simulated) internal view returns (PckCertificate memory leaf) {
        uint256 base;
        // Where the certificate lies in call data: every offset below counts from there.
        assembly ("memory-safe") {
            base := der.offset
        }
        uint256 end = der.length;
        require(end <= MAX_BYTES, IDcapVerifier.BadCertificate(end));
        (uint256 start, uint256 next) = DerSpan.enter(base, 0, end, 0x30);
        require(next == end, IDcapVerifier.BadCertificate(next));
        (uint256 pos, uint256 tbsEnd) = DerSpan.enter(base, start, end, 0x30);
        _readSignature(leaf, base, tbsEnd, end);
        {
            uint256 draft = Draft.start(tbsEnd - start);
            uint256 to = Draft.copy(draft, base + start, tbsEnd - start);
            (leaf.signedDigest, leaf.signedHash) = Draft.hashes(draft, to);
        }

        require(DerSpan.word(base, pos) >> 216 == VERSION_3, IDcapVerifier.BadCertificate(pos));
        (leaf.serial, pos) = DerSpan.unsigned(base, pos + 5, tbsEnd, 20);
        require(leaf.serial != 0, IDcapVerifier.BadCertificate(pos));
        require(DerSpan.word(base, pos) >> 160 == ECDSA_SHA256, IDcapVerifier.BadCertificate(pos));
        pos += 12;
        (, next) = DerSpan.enter(base, pos, tbsEnd, 0x30);
        leaf.ca = PckNames.issuer(DerSpan.hash(base, pos, next), simulated);
        require(leaf.ca != PckCa.None, IDcapVerifier.BadCertificate(pos));
        (pos, next) = DerSpan.enter(base, next, tbsEnd, 0x30);
        (leaf.notBefore, pos) = DerTime.read(base, pos, next);
        (leaf.notAfter, pos) = DerTime.read(base, pos, next);
        require(pos == next, IDcapVerifier.BadCertificate(pos));
        (, next) = DerSpan.enter(base, pos, tbsEnd, 0x30);
        require(
            PckNames.isSubject(DerSpan.hash(base, pos, next), simulated),
            IDcapVerifier.BadCertificate(pos)
        );
        pos = next;
        require(DerSpan.word(base, pos) >> 40 == P256_KEY, IDcapVerifier.BadCertificate(pos));
        (leaf.x, leaf.y) = (bytes32(DerSpan.word(base, pos + 27)), bytes32(DerSpan.word(base, pos + 59)));
        _readExtensions(leaf, base, pos + 91, tbsEnd);
    }

    ///
    /// @dev What follows the signed part: the algorithm, and SEQUENCE { r, s } in a BIT STRING of whole bytes.
    function _readSignature(PckCertificate memory leaf, uint256 base, uint256 pos, uint256 end) private pure {
        require(DerSpan.word(base, pos) >> 160 == ECDSA_SHA256, IDcapVerifier.BadCertificate(pos));
        (uint256 bits, uint256 next) = DerSpan.enter(base, pos + 12, end, 0x03);
        require(next == end && DerSpan.word(base, bits) >> 248 == 0, IDcapVerifier.BadCertificate(bits));
        (pos, next) = DerSpan.enter(base, bits + 1, end, 0x30);
        require(next == end, IDcapVerifier.BadCertificate(next));
        uint256 number;
        (number, pos) = DerSpan.unsigned(base, pos, end, 32);
        leaf.r = bytes32(number);
        (number, pos) = DerSpan.unsigned(base, pos, end, 32);
        leaf.s = bytes32(number);
        require(pos == end, IDcapVerifier.BadCertificate(pos));
    }

    /// @dev [3] EXPLICIT SEQUENCE of extensions, to the end of the signed part. Each may stand once; of those that are
    /// critical (RFC 5280 §4.2) only keyUsage and basicConstraints are understood.
    function _readExtensions(
        PckCertificate memory leaf,
        uint256 base,
        uint256 pos,
        uint256 end
    ) private pure {
        uint256 next;
        (pos, next) = DerSpan.enter(base, pos, end, 0xa3);
        require(next == end, IDcapVerifier.BadCertificate(next));
        (pos, next) = DerSpan.enter(base, pos, end, 0x30);
        require(next == end, IDcapVerifier.BadCertificate(next));
        uint256 count = 0;
        uint256 seen = 0;
        bytes32[] memory others;
        while (pos != end) {
            bytes32 id;
            uint256 value;
            (id, value, next) = _enterExtension(base, pos, end);
            require(++count <= MAX_EXTENSIONS, IDcapVerifier.BadCertificate(pos));
            // Bit n: 2.5.29.n; bit 128: Intel's.
            uint256 bit = 1 << (id == bytes32(DerSpan.SGX) ? 128 : uint256(id));
            if (bit == 0) others = _with(others, id, pos);
            require(seen & bit == 0, IDcapVerifier.BadCertificate(pos));
            seen |= bit;
            if (bit == KEY_USAGE) {
                _requireDigitalSignature(base, value, next);
            } else if (bit == BASIC_CONSTRAINTS) {
                // An empty SEQUENCE: no CA. It would have to say so (cA TRUE), and DER never writes FALSE.
                require(
                    next - value == 2 && DerSpan.word(base, value) >> 240 == 0x3000,
                    IDcapVerifier.BadCertificate(value)
                );
            } else if (bit == SGX) {
                leaf.sgx = SgxExtension.read(base, value, next);
            }
            pos = next;
        }
        require(seen & REQUIRED == REQUIRED, IDcapVerifier.BadCertificate(end));
    }

    /// @dev The list with an identifier that is neither under id-ce nor Intel's: none is in Intel's certificates of today.
    function _with(
        bytes32[] memory others,
        bytes32 id,
        uint256 pos
    ) private pure returns (bytes32[] memory longer) {
        longer = new bytes32[](others.length + 1);
        for (uint256 i = 0; i < others.length; ++i) {
            require(others[i] != id, IDcapVerifier.BadCertificate(pos));
            longer[i] = others[i];
        }
        longer[others.length] = id;
    }

    /// @return id as DerSpan.objectId has it.
    /// @return value where the content of the extension's OCTET STRING starts.
    /// @return next its end, and the end of the extension.
    function _enterExtension(
        uint256 base,
        uint256 pos,
        uint256 end
    ) private pure returns (bytes32 id, uint256 value, uint256 next) {
        uint256 last;
        (value, last) = DerSpan.enter(base, pos, end, 0x30);
        (id, pos) = DerSpan.objectId(base, value, last);
        if (DerSpan.word(base, pos) >> 248 == 0x01) {
            // BOOLEAN TRUE; FALSE is the default, which DER leaves out.
            require(
                DerSpan.word(base, pos) >> 232 == 0x0101ff &&
                    (id == bytes32(uint256(15)) || id == bytes32(uint256(19))),
                IDcapVerifier.BadCertificate(pos)
            );
            pos += 3;
        }
        (value, next) = DerSpan.enter(base, pos, last, 0x04);
        require(next == last, IDcapVerifier.BadCertificate(next));
    }

    /// @dev BIT STRING of one or two bytes whose unused bits are zero (X.690 §11.2.1), with bit 0 (digitalSignature) set.
    function _requireDigitalSignature(uint256 base, uint256 pos, uint256 end) private pure {
        (uint256 bits, uint256 next) = DerSpan.enter(base, pos, end, 0x03);
        uint256 length = next - bits;
        require(next == end && (length == 2 || length == 3), IDcapVerifier.BadCertificate(pos));
        uint256 word = DerSpan.word(base, bits);
        uint256 unused = word >> 248;
        uint256 last = (word >> (256 - 8 * length)) & 0xff;
        require(
            unused < 8 && last != 0 && last & ((1 << unused) - 1) == 0 && (word >> 247) & 1 == 1,
            IDcapVerifier.BadCertificate(pos)
        );
    }
}
