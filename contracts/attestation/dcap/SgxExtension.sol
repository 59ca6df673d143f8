// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IDcapVerifier} from "../../interfaces/IDcapVerifier.sol";
import {DerSpan} from "./DerSpan.sol";

/// @notice What Intel says of a platform in its PCK certificate.
struct SgxFacts {
    bytes16 ppid;
    bytes16 svns; //   component 1 first
    uint16 pceSvn;
    bytes2 pceId;
    bytes6 fmspc;
}

/// @title SgxExtension: 1.2.840.113741.1.13.1 of a PCK certificate (SGX PCK Certificate specification §1.3.5)
/// @dev protocol/evidence/dcap/pckExtensions.ts is its twin.
library SgxExtension {
    /// @dev An identifier below the extension's, with one byte more; SEQUENCE { 1.2.840.113741.1.13.1.n, OCTET STRING } of
    /// sixteen bytes (n is 1, PPID), two (3, PCEID) and six (4, FMSPC). What has one length has one encoding.
    uint256 private constant ENTRY = 0x060a2a864886f84d010d01;
    uint256 internal constant PPID = 0x301e060a2a864886f84d010d01010410;
    uint256 internal constant PCE_ID = 0x3010060a2a864886f84d010d01030402;
    uint256 internal constant FMSPC = 0x3014060a2a864886f84d010d01040406;
    /// @dev SEQUENCE { 1.2.840.113741.1.13.1.2.n, INTEGER } with an integer of one and of two bytes, without n.
    uint256 internal constant SHORT = 0x3010060b2a864886f84d010d0102000201;
    uint256 internal constant LONG = 0x3011060b2a864886f84d010d0102000202;
    uint256 internal constant LONGER = 0x3012060b2a864886f84d010d0102000203;
    /// @dev The same with an OCTET STRING of sixteen bytes: n is 18, CPUSVN.
    uint256 internal constant CPU_SVN = 0x301f060b2a864886f84d010d0102120410;

    /// @notice Reads the extension's value. Each entry may stand once, in any order; PPID, TCB, PCEID and FMSPC must.
    /// @dev Reverts BadCertificate. Entries of other numbers (SGX type, platform instance, configuration) are let be.
    function read(uint256 base, uint256 pos, uint256 end) internal pure returns (SgxFacts memory facts) {
        unchecked {
            uint256 next;
            (pos, next) = DerSpan.enter(base, pos, end, 0x30);
            require(next == end, IDcapVerifier.BadCertificate(next));
            uint256 seen = 0;
            while (pos < end) {
                uint256 head = DerSpan.word(base, pos);
                // The number stands in the same byte of every entry that is shorter than 128 bytes.
                uint256 number = (head >> 144) & 0xff;
                if (head >> 128 == PPID) {
                    facts.ppid = bytes16(uint128(head));
                    next = pos + 32;
                } else if (head >> 128 == PCE_ID) {
                    facts.pceId = bytes2(uint16(head >> 112));
                    next = pos + 18;
                } else if (head >> 128 == FMSPC) {
                    facts.fmspc = bytes6(uint48(head >> 80));
                    next = pos + 22;
                } else {
                    (number, next) = _readOther(facts, base, pos, end);
                }
                require((seen >> number) & 1 == 0, IDcapVerifier.BadCertificate(pos));
                seen |= 1 << number;
                pos = next;
            }
            require(pos == end, IDcapVerifier.BadCertificate(pos));
            require(seen & 0x1e == 0x1e, IDcapVerifier.BadCertificate(end));
        }
    }

    ///
    /// @dev TCB, or an entry that means nothing here.
    /// @return number the last byte of its identifier.
    function _readOther(
        SgxFacts memory facts,
        uint256 base,
        uint256 pos,
        uint256 end
    ) private pure returns (uint256 number, uint256 next) {
        unchecked {
            uint256 entry;
            (entry, next) = DerSpan.enter(base, pos, end, 0x30);
            uint256 head = DerSpan.word(base, entry);
            number = (head >> 160) & 0xff;
            bool isOther = number > 4 && number < 0x80;
            require(
                head >> 168 == ENTRY && entry + 12 <= next && (isOther || number == 2),
                IDcapVerifier.BadCertificate(entry)
            );
            if (number == 2) _readTcb(facts, base, entry + 12, next);
        }
    }

    /// @dev Sixteen component SVNs of one byte, PCESVN of two, CPUSVN, in this order; each number has one encoding.
    function _readTcb(SgxFacts memory facts, uint256 base, uint256 pos, uint256 end) private pure {
        unchecked {
            uint256 next;
            (pos, next) = DerSpan.enter(base, pos, end, 0x30);
            require(next == end, IDcapVerifier.BadCertificate(next));
            uint256 svns = 0;
            for (uint256 n = 1; n <= 16; ++n) {
                uint256 component = DerSpan.word(base, pos);
                uint256 svn;
                if (component >> 120 == SHORT | (n << 16)) {
                    svn = (component >> 112) & 0xff;
                    require(svn < 0x80, IDcapVerifier.BadCertificate(pos));
                    pos += 18;
                } else {
                    svn = (component >> 104) & 0xffff;
                    require(
                        component >> 120 == LONG | (n << 16) && svn > 0x7f && svn < 0x100,
                        IDcapVerifier.BadCertificate(pos)
                    );
                    pos += 19;
                }
                svns = (svns << 8) | svn;
            }
            facts.svns = bytes16(uint128(svns));
            (facts.pceSvn, pos) = _pceSvn(base, pos);
            require(
                DerSpan.word(base, pos) >> 120 == CPU_SVN && pos + 33 == end,
                IDcapVerifier.BadCertificate(pos)
            );
        }
    }

    function _pceSvn(uint256 base, uint256 pos) private pure returns (uint16 svn, uint256 next) {
        unchecked {
            uint256 component = DerSpan.word(base, pos);
            uint256 head = component >> 120;
            uint256 value;
            bool isMinimal;
            if (head == SHORT | (17 << 16)) {
                value = (component >> 112) & 0xff;
                isMinimal = value < 0x80;
                next = pos + 18;
            } else if (head == LONG | (17 << 16)) {
                value = (component >> 104) & 0xffff;
                isMinimal = value > 0x7f && value < 0x8000;
                next = pos + 19;
            } else {
                value = (component >> 96) & 0xffffff;
                isMinimal = head == LONGER | (17 << 16) && value > 0x7fff && value < 0x10000;
                next = pos + 20;
            }
            require(isMinimal, IDcapVerifier.BadCertificate(pos));
            svn = uint16(value);
        }
    }
}
