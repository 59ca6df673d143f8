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
    bytes serials; //    20 bytes each, in the CRL's order
}

/// @title CrlReader: a version 2 CRL in strict DER (RFC 5280 §5; Intel SGX PCK Certificate and CRL Profile Specification)
/// @dev protocol/der/crl.ts is its twin. At most 1,200 entries: more would not fit into one contract's code (EIP-170).
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
    ) private pure returns (bytes memory serials) {
        // No entry is shorter than 20 bytes, so there is room for one serial each.
        serials = new bytes(end - pos + SERIAL_BYTES);
        uint256 count = 0;
        while (pos != end) {
            (uint256 entry, uint256 next) = DerSpan.enter(base, pos, end, 0x30);
            uint256 serial;
            (serial, entry) = DerSpan.unsigned(base, entry, next, SERIAL_BYTES);
            (, entry) = DerTime.read(base, entry, next);
            if (entry != next) {
                uint256 stop;
                (entry, stop) = DerSpan.enter(base, entry, next, 0x30);
                require(stop == next, IDcapVerifier.BadCertificate(stop));
                while (entry != stop) (, , entry) = DerSigned.extension(base, entry, stop, 0);
            }
            require(++count <= MAX_ENTRIES, IDcapVerifier.BadCertificate(pos));
            // The serial's 20 bytes, left-aligned; the word's rest is written over by the next or cut off below.
            assembly ("memory-safe") {
                mstore(add(add(serials, 32), mul(sub(count, 1), 20)), shl(96, serial))
            }
            pos = next;
        }
        assembly ("memory-safe") {
            mstore(serials, mul(count, 20))
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
