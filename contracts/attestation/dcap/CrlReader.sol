// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IDcapVerifier} from "../../interfaces/IDcapVerifier.sol";
import {DerSigned, Signed} from "./DerSigned.sol";
import {DerSpan} from "./DerSpan.sol";
import {DerTime} from "./DerTime.sol";

/// @notice What a CRL says, before its signature is judged.
struct Crl {
    Signed signed;
    bytes32 issuer; //   keccak256 of the whole name in DER
    uint256 number;
    uint40 thisUpdate;
    uint40 nextUpdate;
    uint256[] serials; // in the CRL's order
}

/// @title CrlReader: a version 2 CRL in strict DER (RFC 5280 §5; Intel SGX PCK Certificate and CRL Profile Specification)
/// @dev protocol/der/crl.ts is its twin. At most 1,200 entries: more would not fit into one contract's code (EIP-170).
/// Intel's longest had 57 early in 2026.
library CrlReader {
    uint256 private constant MAX_BYTES = 65_000;
    uint256 private constant MAX_ENTRIES = 1_200;
    uint256 private constant SERIAL_BYTES = 20;
    uint256 private constant CRL_NUMBER = 20;

    /// @dev Reverts BadCertificate(offset) for anything that is no such CRL.
    function read(bytes calldata der) internal pure returns (Crl memory crl) {
        crl.signed = DerSigned.read(der, MAX_BYTES);
        uint256 base = crl.signed.base;
        uint256 end = crl.signed.tbsEnd;
        uint256 pos = crl.signed.content;
        uint256 next;
        // Version 2 is INTEGER 1.
        require(DerSpan.word(base, pos) >> 232 == 0x020101, IDcapVerifier.BadCertificate(pos));
        pos = DerSigned.skipAlgorithm(base, pos + 3);
        (, next) = DerSpan.enter(base, pos, end, 0x30);
        crl.issuer = DerSpan.hash(base, pos, next);
        (crl.thisUpdate, pos) = DerTime.read(base, next, end);
        (crl.nextUpdate, pos) = DerTime.read(base, pos, end);
        // The list of revoked certificates is left out where it would be empty (RFC 5280 §5.1.2.6).
        if (DerSpan.word(base, pos) >> 248 == 0x30) {
            (uint256 list, uint256 after_) = DerSpan.enter(base, pos, end, 0x30);
            crl.serials = _readRevoked(base, list, after_);
            pos = after_;
        }
        _readExtensions(crl, base, pos, end);
    }

    /// @return serials of every entry { serial, date, optional extensions }.
    function _readRevoked(
        uint256 base,
        uint256 pos,
        uint256 end
    ) private pure returns (uint256[] memory serials) {
        // No entry is shorter than 20 bytes: its frame takes 2, the serial 3, the date 15.
        uint256 most = (end - pos) / 20;
        serials = new uint256[](most < MAX_ENTRIES ? most : MAX_ENTRIES);
        uint256 count = 0;
        // Intel dates all entries of a list alike: what stands behind a serial, read once, is not read again.
        uint256 known = 0;
        while (pos != end) {
            (uint256 entry, uint256 next) = DerSpan.enter(base, pos, end, 0x30);
            uint256 serial;
            (serial, entry) = DerSpan.unsigned(base, entry, next, SERIAL_BYTES);
            uint256 rest = _short(base, entry, next);
            if (rest == 0 || rest != known) {
                _requireRest(base, entry, next);
                known = rest;
            }
            require(count < serials.length, IDcapVerifier.BadCertificate(pos));
            serials[count++] = serial;
            pos = next;
        }
        assembly ("memory-safe") {
            mstore(serials, count)
        }
    }

    /// @dev What stands behind a serial: a date and, where there are any, extensions of which none is critical.
    function _requireRest(uint256 base, uint256 pos, uint256 end) private pure {
        (, pos) = DerTime.read(base, pos, end);
        if (pos == end) return;
        uint256 stop;
        (pos, stop) = DerSpan.enter(base, pos, end, 0x30);
        require(stop == end, IDcapVerifier.BadCertificate(stop));
        while (pos != stop) (, , pos) = DerSigned.extension(base, pos, stop, 0);
    }

    /// @return bytes_ these bytes and their count, as one number that tells them from all others; 0 where they are too many.
    function _short(uint256 base, uint256 pos, uint256 end) private pure returns (uint256 bytes_) {
        unchecked {
            uint256 count = end - pos;
            if (count > 31) return 0;
            bytes_ = ((DerSpan.word(base, pos) >> (256 - 8 * count)) << 8) | count;
        }
    }

    /// @dev [0] EXPLICIT SEQUENCE of extensions, none critical; cRLNumber must stand, once.
    function _readExtensions(Crl memory crl, uint256 base, uint256 pos, uint256 end) private pure {
        uint256 next;
        (pos, next) = DerSpan.enter(base, pos, end, 0xa0);
        require(next == end, IDcapVerifier.BadCertificate(next));
        (pos, next) = DerSpan.enter(base, pos, end, 0x30);
        require(next == end, IDcapVerifier.BadCertificate(next));
        bool hasNumber = false;
        while (pos != end) {
            (bytes32 id, uint256 value, uint256 after_) = DerSigned.extension(base, pos, end, 0);
            if (uint256(id) == CRL_NUMBER) {
                require(!hasNumber, IDcapVerifier.BadCertificate(pos));
                hasNumber = true;
                uint256 stop;
                (crl.number, stop) = DerSpan.unsigned(base, value, after_, SERIAL_BYTES);
                require(stop == after_, IDcapVerifier.BadCertificate(stop));
            }
            pos = after_;
        }
        require(hasNumber, IDcapVerifier.BadCertificate(end));
    }
}
