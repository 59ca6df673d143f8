// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {IDcapVerifier} from "../../interfaces/IDcapVerifier.sol";
import {PckCa} from "../../interfaces/IDcapCollateral.sol";
import {DerSpan} from "./DerSpan.sol";
import {DerTime} from "./DerTime.sol";
import {Draft} from "./Draft.sol";
import {PckCertificate} from "./PckLeaf.sol";
import {SgxExtension} from "./SgxExtension.sol";

/// @title PckTemplate: a PCK certificate of the usual form, from the fields that differ
/// @notice Three quarters of a PCK certificate are the same in every one. Here its signed part is written anew around its
/// fields, and the CA's signature holds for these bytes or for none: nothing is parsed, and fields that are no
/// certificate's fail the signature. A certificate of another form (with other extensions, say) is read by PckLeaf.
/// @dev Fields, at: 0 CA (1 Platform, 2 Processor) ‖ 1 serial (20) ‖ 21 both times, UTCTime with tag and length (30)
/// ‖ 51 public key (64) ‖ 115 authority key id (20) ‖ 135 subject key id (20) ‖ 155 PPID (16) ‖ 171 SGX SVNs (16)
/// ‖ 187 PCESVN (2) ‖ 189 CPUSVN (16) ‖ 205 PCEID (2) ‖ 207 FMSPC (6) ‖ 213 SGX type (1) ‖ 214 signature (64)
/// [‖ 278 platform instance (16) ‖ 294 configuration, the contents of three BOOLEANs (3)], the bracket for Platform only.
/// protocol/evidence/dcap/onchain/pckTemplate.ts is its twin.
library PckTemplate {
    uint256 private constant PROCESSOR_SIZE = 278;
    uint256 private constant PLATFORM_SIZE = 297;
    /// @dev More than the longest signed part has.
    uint256 private constant ROOM = 1536;

    /// @dev SEQUENCE of more than 255 bytes, its length to be filled in.
    uint256 private constant SEQUENCE = 0x30820000;
    /// @dev [3] EXPLICIT SEQUENCE of extensions, lengths to be filled in.
    uint256 private constant EXTENSIONS = 0xa382000030820000;
    /// @dev Version 3; ecdsa-with-SHA256; SubjectPublicKeyInfo up to the point (PckLeaf says what they are).
    uint256 private constant VERSION_3 = 0xa003020102;
    uint256 private constant ECDSA_SHA256 = 0x300a06082a8648ce3d040302;
    uint256 private constant P256_KEY = 0x3059301306072a8648ce3d020106082a8648ce3d03010703420004;
    /// @dev Extensions up to the value that differs: 2.5.29.35 and .14; .15 and .19 are whole.
    uint256 private constant AUTHORITY_KEY = 0x301f0603551d23041830168014;
    uint256 private constant SUBJECT_KEY = 0x301d0603551d0e04160414;
    uint256 private constant USAGE_AND_CONSTRAINTS =
        0x300e0603551d0f0101ff0404030206c0300c0603551d130101ff04023000;
    /// @dev 2.5.29.31 with one URI of 90 and of 91 bytes, up to the URI; what of the URI stands before and behind the CA.
    uint256 private constant PLATFORM_POINT = 0x306b0603551d1f046430623060a05ea05c865a;
    uint256 private constant PROCESSOR_POINT = 0x306c0603551d1f046530633061a05fa05d865b;
    bytes private constant URI = "https://api.trustedservices.intel.com/sgx/certification/v4/pckcrl?ca=";
    /// @dev Intel's extension up to its first entry; its entries (SgxExtension) up to their values.
    uint256 private constant SGX = 0x3082000006092a864886f84d010d010482000030820000;
    uint256 private constant TCB = 0x0030820000060a2a864886f84d010d010230820000;
    uint256 private constant SGX_TYPE = 0x300f060a2a864886f84d010d01050a01;
    uint256 private constant INSTANCE = 0x301e060a2a864886f84d010d01060410;
    uint256 private constant CONFIGURATION = 0x3044060a2a864886f84d010d01073036;
    uint256 private constant SETTING = 0x3010060b2a864886f84d010d0107000101;
    /// @dev A name up to its common name of 25 and of 26 bytes. What stands behind it: O, L, ST and C of Intel; O and C of
    /// the test vendor.
    uint256 private constant NAME_25 = 0x3122302006035504030c19;
    uint256 private constant NAME_26 = 0x3123302106035504030c1a;
    bytes private constant INTEL =
        hex"311a3018060355040a0c11496e74656c20436f72706f726174696f6e3114301206035504070c0b53616e746120436c617261"
        hex"310b300906035504080c024341310b3009060355040613025553";
    bytes private constant TEST_VENDOR =
        hex"31293027060355040a0c20436861727465722073696d756c61746564205445452c206e6f2076656e646f72"
        hex"310b3009060355040613025553";

    /// @dev Reverts BadCertificate(offset in the fields) for what no certificate can have. The signature is not verified.
    function read(bytes calldata fields, bool simulated) internal view returns (PckCertificate memory leaf) {
        uint256 base;
        assembly ("memory-safe") {
            base := fields.offset
        }
        uint256 ca = DerSpan.word(base, 0) >> 248;
        require(
            (ca == uint256(PckCa.Platform) && fields.length == PLATFORM_SIZE) ||
                (ca == uint256(PckCa.Processor) && fields.length == PROCESSOR_SIZE),
            IDcapVerifier.BadCertificate(0)
        );
        leaf.ca = PckCa(ca);
        leaf.serial = DerSpan.word(base, 1) >> 96;
        require(leaf.serial != 0, IDcapVerifier.BadCertificate(1));
        uint256 pos;
        (leaf.notBefore, pos) = DerTime.read(base, 21, 51);
        (leaf.notAfter, pos) = DerTime.read(base, pos, 51);
        require(pos == 51, IDcapVerifier.BadCertificate(pos));
        (leaf.x, leaf.y) = (bytes32(DerSpan.word(base, 51)), bytes32(DerSpan.word(base, 83)));
        leaf.sgx.ppid = bytes16(bytes32(DerSpan.word(base, 155)));
        leaf.sgx.svns = bytes16(bytes32(DerSpan.word(base, 171)));
        leaf.sgx.pceSvn = uint16(DerSpan.word(base, 187) >> 240);
        leaf.sgx.pceId = bytes2(bytes32(DerSpan.word(base, 205)));
        leaf.sgx.fmspc = bytes6(bytes32(DerSpan.word(base, 207)));
        (leaf.r, leaf.s) = (bytes32(DerSpan.word(base, 214)), bytes32(DerSpan.word(base, 246)));
        (leaf.signedDigest, leaf.signedHash) = _hashes(leaf, base, simulated);
    }

    function _hashes(
        PckCertificate memory leaf,
        uint256 base,
        bool simulated
    ) private view returns (bytes32 digest, bytes32 hash) {
        unchecked {
            uint256 start = Draft.start(ROOM);
            bool isPlatform = leaf.ca == PckCa.Platform;
            uint256 to = Draft.put(start, (SEQUENCE << 40) | VERSION_3, 9);
            // INTEGER of the bytes that the number and its sign need.
            uint256 length = (Math.log2(leaf.serial) + 1) / 8 + 1;
            to = Draft.put(to, 0x0200 | length, 2);
            to = Draft.put(to, leaf.serial, length);
            to = Draft.put(to, ECDSA_SHA256, 12);
            bytes memory vendor = simulated ? TEST_VENDOR : INTEL;
            to =
                isPlatform
                    ? _name(to, NAME_25, "Intel SGX PCK Platform CA", 25, vendor)
                    : _name(to, NAME_26, "Intel SGX PCK Processor CA", 26, vendor);
            to = Draft.copy(Draft.put(to, 0x301e, 2), base + 21, 30);
            to = _name(to, NAME_25, "Intel SGX PCK Certificate", 25, vendor);
            to = Draft.copy(Draft.put(to, P256_KEY, 27), base + 51, 64);
            uint256 extensions = to;
            to = Draft.put(to, EXTENSIONS, 8);
            to = Draft.copy(Draft.put(to, AUTHORITY_KEY, 13), base + 115, 20);
            if (!simulated) to = _point(to, isPlatform);
            to = Draft.copy(Draft.put(to, SUBJECT_KEY, 11), base + 135, 20);
            to = Draft.put(to, USAGE_AND_CONSTRAINTS, 30);
            to = _sgx(to, leaf, base, isPlatform);
            Draft.setLength(extensions + 2, to - extensions - 4);
            Draft.setLength(extensions + 6, to - extensions - 8);
            Draft.setLength(start + 2, to - start - 4);
            return Draft.hashes(start, to);
        }
    }

    /// @dev A Name: one common name, then the vendor's attributes.
    function _name(
        uint256 to,
        uint256 head,
        bytes32 commonName,
        uint256 length,
        bytes memory vendor
    ) private pure returns (uint256) {
        unchecked {
            to = Draft.put(to, 0x3000 | (11 + length + vendor.length), 2);
            to = Draft.put(to, head, 11);
            to = Draft.put(to, uint256(commonName) >> (256 - 8 * length), length);
            return Draft.append(to, vendor);
        }
    }

    function _point(uint256 to, bool isPlatform) private pure returns (uint256) {
        to = Draft.put(to, isPlatform ? PLATFORM_POINT : PROCESSOR_POINT, 19);
        to = Draft.append(to, URI);
        return
            isPlatform
                ? Draft.put(to, uint168(bytes21("platform&encoding=der")), 21)
                : Draft.put(to, uint176(bytes22("processor&encoding=der")), 22);
    }

    function _sgx(
        uint256 to,
        PckCertificate memory leaf,
        uint256 base,
        bool isPlatform
    ) private pure returns (uint256) {
        unchecked {
            uint256 start = to;
            to = Draft.put(to, SGX, 23);
            to = Draft.copy(Draft.put(to, SgxExtension.PPID, 16), base + 155, 16);
            to = _tcb(to, leaf, base);
            to = Draft.copy(Draft.put(to, SgxExtension.PCE_ID, 16), base + 205, 2);
            to = Draft.copy(Draft.put(to, SgxExtension.FMSPC, 16), base + 207, 6);
            to = Draft.copy(Draft.put(to, SGX_TYPE, 16), base + 213, 1);
            if (isPlatform) {
                to = Draft.copy(Draft.put(to, INSTANCE, 16), base + 278, 16);
                to = Draft.put(to, CONFIGURATION, 16);
                for (uint256 i = 0; i < 3; ++i) {
                    to = Draft.copy(Draft.put(to, SETTING | ((i + 1) << 16), 17), base + 294 + i, 1);
                }
            }
            Draft.setLength(start + 2, to - start - 4);
            Draft.setLength(start + 17, to - start - 19);
            Draft.setLength(start + 21, to - start - 23);
            return to;
        }
    }

    function _tcb(uint256 to, PckCertificate memory leaf, uint256 base) private pure returns (uint256) {
        unchecked {
            uint256 start = to;
            to = Draft.put(to, TCB, 20);
            uint256 svns = uint128(leaf.sgx.svns);
            for (uint256 n = 1; n <= 16; ++n) to = _svn(to, n, (svns >> (8 * (16 - n))) & 0xff);
            to = _svn(to, 17, leaf.sgx.pceSvn);
            to = Draft.copy(Draft.put(to, SgxExtension.CPU_SVN, 17), base + 189, 16);
            Draft.setLength(start + 2, to - start - 4);
            Draft.setLength(start + 18, to - start - 20);
            return to;
        }
    }

    /// @dev Component n of TCB: an INTEGER of the bytes that the number and its sign need.
    function _svn(uint256 to, uint256 n, uint256 svn) private pure returns (uint256) {
        unchecked {
            if (svn < 0x80) return Draft.put(to, ((SgxExtension.SHORT | (n << 16)) << 8) | svn, 18);
            if (svn < 0x8000) return Draft.put(to, ((SgxExtension.LONG | (n << 16)) << 16) | svn, 19);
            return Draft.put(to, ((SgxExtension.LONGER | (n << 16)) << 24) | svn, 20);
        }
    }
}
