// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IDcapVerifier} from "../../interfaces/IDcapVerifier.sol";
import {DerSpan} from "./DerSpan.sol";

/// @title DerTime: UTCTime and GeneralizedTime in the forms that RFC 5280 §4.1.2.5 demands
library DerTime {
    /// @dev Fourteen bytes each: "0" in ASCII; what lifts a byte above 9 to 0x80; the top bits; every second byte.
    uint256 private constant ZEROS = 0x3030303030303030303030303030;
    uint256 private constant LIFT = 0x7676767676767676767676767676;
    uint256 private constant TOPS = 0x8080808080808080808080808080;
    uint256 private constant PAIRS = 0x00ff00ff00ff00ff00ff00ff00ff;

    /// @notice YYMMDDHHMMSSZ (from 50 on: the 20th century) or YYYYMMDDHHMMSSZ, from 1950 on, a date that exists.
    ///
    /// @return time unix seconds, never negative: earlier than 1970 is 0.
    /// @return next where the element ends.
    function read(uint256 base, uint256 pos, uint256 end) internal pure returns (uint40 time, uint256 next) {
        unchecked {
            uint256 head = DerSpan.word(base, pos);
            uint256 digits;
            uint256 zone;
            bool isUtc = head >> 240 == 0x170d;
            if (isUtc) {
                // Twelve digits; a century of "00" stands for the one that is worked out below.
                digits = (0x3030 << 96) | ((head >> 144) & type(uint96).max);
                zone = (head >> 136) & 0xff;
                next = pos + 15;
            } else {
                require(head >> 240 == 0x180f, IDcapVerifier.BadCertificate(pos));
                digits = (head >> 128) & type(uint112).max;
                zone = (head >> 120) & 0xff;
                next = pos + 17;
            }
            digits ^= ZEROS;
            // Every byte is a digit: adding 0x76 lifts 10 and above to the top bit; what had it before is caught as well.
            bool isTime = ((digits + LIFT) | digits) & TOPS == 0 && zone == 0x5a && next <= end;
            require(isTime, IDcapVerifier.BadCertificate(pos));
            // Seven numbers of two digits, sixteen bits each: century, year, month, day, hour, minute, second.
            uint256 pairs = ((digits >> 8) & PAIRS) * 10 + (digits & PAIRS);
            uint256 year = (pairs >> 80) & 0xff;
            if (isUtc) year += year >= 50 ? 1900 : 2000;
            else year += 100 * (pairs >> 96);
            require(
                pairs & 0xff < 60 && (pairs >> 16) & 0xff < 60 && (pairs >> 32) & 0xff < 24,
                IDcapVerifier.BadCertificate(pos)
            );
            uint256 daySeconds = ((pairs >> 32) & 0xff) * 3600 + ((pairs >> 16) & 0xff) * 60 + (pairs & 0xff);
            uint256 day = _epochDay(year, (pairs >> 64) & 0xff, (pairs >> 48) & 0xff, pos);
            time = day == 0 ? 0 : uint40((day - 1) * 86_400 + daySeconds);
        }
    }

    ///
    /// @return 1 + days since 1970-01-01, or 0 before.
    /// @dev Reverts for a date that does not exist, or before 1950.
    function _epochDay(uint256 year, uint256 month, uint256 day, uint256 pos) private pure returns (uint256) {
        unchecked {
            bool isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            uint256 days_ = month == 2 ? (isLeap ? 29 : 28) : 30 + ((month + (month >> 3)) & 1);
            require(
                year >= 1950 && month != 0 && month < 13 && day != 0 && day <= days_,
                IDcapVerifier.BadCertificate(pos)
            );
            if (year < 1970) return 0;
            // Gregorian days since 0000-03-01, years beginning in March so that the leap day is the last.
            if (month < 3) {
                --year;
                month += 12;
            }
            uint256 count =
                365 * year + year / 4 - year / 100 + year / 400 + (153 * (month - 3) + 2) / 5 + day - 1;
            return count - 719_468 + 1;
        }
    }
}
