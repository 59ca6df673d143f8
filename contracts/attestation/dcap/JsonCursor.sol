// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IDcapCollateral} from "../../interfaces/IDcapCollateral.sol";

/// @notice How far a pass over a document has come: addresses in memory.
struct Cursor {
    uint256 here;
    uint256 start;
    uint256 end;
}

/// @title JsonCursor: one left-to-right pass over JSON whose grammar is known to the byte
/// @notice Intel's signed documents are matched, not searched: every key is expected where Intel writes it, so there is
/// no room for whitespace, escapes, duplicate or unknown keys. Whatever does not match reverts with BadJson(offset).
/// @dev Words beyond the document's end may be read. What is consumed there can never be accepted, since `here` only grows
/// and `close` wants it at the end. All byte-parallel tests below are exact for every value of a byte.
library JsonCursor {
    /// @dev The highest bit of each byte, all others, and the lowest.
    uint256 private constant TOP = 0x8080808080808080808080808080808080808080808080808080808080808080;
    uint256 private constant LOW = 0x7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f;
    uint256 private constant ONES = 0x0101010101010101010101010101010101010101010101010101010101010101;

    /// @notice A cursor at the first byte of `json`.
    function open(bytes memory json) internal pure returns (Cursor memory cursor) {
        uint256 start;
        assembly ("memory-safe") {
            start := add(json, 32)
        }
        cursor.here = start;
        cursor.start = start;
        cursor.end = start + json.length;
    }

    /// @notice Reverts unless the document ends here.
    function close(Cursor memory cursor) internal pure {
        if (cursor.here != cursor.end) fail(cursor);
    }

    function fail(Cursor memory cursor) internal pure {
        revert IDcapCollateral.BadJson(cursor.here - cursor.start);
    }

    /// @notice Consumes `text`, 1 to 32 characters, none of them NUL.
    function expect(Cursor memory cursor, bytes32 text) internal pure {
        if (!accept(cursor, text)) fail(cursor);
    }

    /// @notice Consumes `text` if the document goes on with it.
    function accept(Cursor memory cursor, bytes32 text) internal pure returns (bool accepted) {
        assembly ("memory-safe") {
            let here := mload(cursor)
            // The lowest set bit of `text` lies in its last character; `unused` counts the bits behind that character.
            let unused := and(sub(255, clz(and(text, sub(0, text)))), not(7))
            accepted := iszero(shr(unused, xor(mload(here), text)))
            // Adds nothing where the text is another.
            mstore(cursor, add(here, mul(accepted, sub(32, shr(3, unused)))))
        }
    }

    /// @notice After an item of a list: consumes "," (true: another one follows) or "]".
    /// @dev Whoever writes as it reads is stopped here soon after the document's end.
    function more(Cursor memory cursor) internal pure returns (bool another) {
        bool good;
        assembly ("memory-safe") {
            let here := mload(cursor)
            let character := byte(0, mload(here))
            another := eq(character, 0x2c)
            good := and(or(another, eq(character, 0x5d)), lt(here, mload(add(cursor, 64))))
            mstore(cursor, add(here, good))
        }
        if (!good) fail(cursor);
    }

    /// @notice A natural number without leading zeros, at most `most`.
    function number(Cursor memory cursor, uint256 most) internal pure returns (uint256 value) {
        bool good;
        assembly ("memory-safe") {
            let here := mload(cursor)
            let text := mload(here)
            let count := 0
            // 32 digits at most, as byte(32, …) is zero: `value` cannot overflow.
            for {
                let digit := sub(byte(0, text), 0x30)
            } lt(digit, 10) {
                digit := sub(byte(count, text), 0x30)
            } {
                value := add(mul(value, 10), digit)
                count := add(count, 1)
            }
            let leadingZero := and(eq(byte(0, text), 0x30), gt(count, 1))
            good := iszero(or(or(iszero(count), leadingZero), gt(value, most)))
            if good {
                mstore(cursor, add(here, count))
            }
        }
        if (!good) fail(cursor);
    }

    /// @notice `digits` hex digits of either case, at most 32, as a number.
    function hexNumber(Cursor memory cursor, uint256 digits) internal pure returns (uint256 value) {
        bool good;
        assembly ("memory-safe") {
            let here := mload(cursor)
            let bits := shl(3, digits)
            // Right-aligned, with "0" in front of it.
            let text := or(
                shr(sub(256, bits), mload(here)),
                shl(bits, 0x3030303030303030303030303030303030303030303030303030303030303030)
            )
            // 0x01 where the byte is a letter, if it is a hex digit at all.
            let letter := and(shr(6, text), ONES)
            let upper := and(text, not(shl(5, letter)))
            let nibble := add(
                and(text, 0x0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f),
                mul(letter, 9)
            )
            // The upper half of a byte must be 3, or 4 (6 in lower case) for letters; a nibble is at most 15; and it is
            // above 9, so that 6 more reach 16, exactly for letters.
            good := and(
                and(
                    eq(
                        and(upper, 0xf0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0),
                        add(
                            0x3030303030303030303030303030303030303030303030303030303030303030,
                            shl(4, letter)
                        )
                    ),
                    iszero(and(nibble, shl(4, ONES)))
                ),
                eq(and(add(nibble, mul(ONES, 6)), shl(4, ONES)), shl(4, letter))
            )
            // Two nibbles to a byte, then bytes to ever larger groups, each half as far apart as before.
            value := and(
                or(shr(4, nibble), nibble),
                0x00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff
            )
            value := and(
                or(shr(8, value), value),
                0x0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff
            )
            value := and(
                or(shr(16, value), value),
                0x00000000ffffffff00000000ffffffff00000000ffffffff00000000ffffffff
            )
            value := and(
                or(shr(32, value), value),
                0x0000000000000000ffffffffffffffff0000000000000000ffffffffffffffff
            )
            value := and(or(shr(64, value), value), 0xffffffffffffffffffffffffffffffff)
            if good {
                mstore(cursor, add(here, digits))
            }
        }
        if (!good) fail(cursor);
    }

    /// @notice A quoted time in UTC like "2026-02-18T10:58:51Z", from 1970 on, as unix seconds.
    function time(Cursor memory cursor) internal pure returns (uint40) {
        uint256 text;
        bool good;
        assembly ("memory-safe") {
            // 22 characters; digits become their values, all others zero.
            text := shr(
                80,
                xor(mload(mload(cursor)), shl(80, 0x22303030302d30302d30305430303a30303a30305a22))
            )
            // No digit above 9 and nothing else above 0: adding what lacks to 0x80 leaves each top bit clear.
            good := iszero(
                and(or(text, add(text, 0x7f767676767f76767f76767f76767f76767f76767f7f)), shr(80, TOP))
            )
        }
        unchecked {
            // Each byte: itself and ten times the one before it, at most 99.
            uint256 pairs = text + (text >> 8) * 10;
            uint256 year = ((pairs >> 152) & 0xff) * 100 + ((pairs >> 136) & 0xff);
            uint256 month = (pairs >> 112) & 0xff;
            uint256 day = (pairs >> 88) & 0xff;
            uint256 hour = (pairs >> 64) & 0xff;
            uint256 minute = (pairs >> 40) & 0xff;
            uint256 second = (pairs >> 16) & 0xff;
            good =
                good &&
                year > 1969 &&
                month != 0 &&
                month < 13 &&
                day != 0 &&
                day <= _daysIn(year, month) &&
                hour < 24 &&
                minute < 60 &&
                second < 60;
            if (!good) fail(cursor);
            cursor.here += 22;
            return uint40(_daysSince1970(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second);
        }
    }

    /// @notice Characters up to a quote, at most 31, left-aligned; consumes the quote. Any byte but NUL may occur.
    function word(Cursor memory cursor) internal pure returns (bytes32 text) {
        uint256 length;
        assembly ("memory-safe") {
            text := mload(mload(cursor))
            length := shr(3, clz(_zeroBytes(xor(text, mul(ONES, 0x22)))))
            text := and(text, not(shr(shl(3, length), not(0))))

            // The top bit of each byte that is zero: no carry leaves its byte.
            function _zeroBytes(x) -> zero {
                zero := not(or(or(add(and(x, LOW), LOW), x), LOW))
            }
        }
        if (length == 32) fail(cursor);
        unchecked {
            cursor.here += length + 1;
        }
    }

    /// @notice Skips printable ASCII without backslash, up to and including a quote.
    function skipText(Cursor memory cursor) internal pure {
        bool good;
        assembly ("memory-safe") {
            function _zeroBytes(x) -> zero {
                zero := not(or(or(add(and(x, LOW), LOW), x), LOW))
            }

            let here := mload(cursor)
            for {} 1 {} {
                let text := mload(here)
                let length := shr(3, clz(_zeroBytes(xor(text, mul(ONES, 0x22)))))
                let low := and(text, LOW)
                // Not ASCII; a backslash; DEL; or below a space, which 0x60 more do not lift to 0x80.
                let refused := or(
                    or(text, _zeroBytes(xor(text, mul(ONES, 0x5c)))),
                    or(add(low, ONES), not(add(low, mul(ONES, 0x60))))
                )
                good := iszero(and(and(refused, TOP), not(shr(shl(3, length), not(0)))))
                here := add(here, length)
                if or(lt(length, 32), iszero(good)) {
                    break
                }
            }
            if good {
                mstore(cursor, add(here, 1))
            }
        }
        if (!good) fail(cursor);
    }

    function _daysIn(uint256 year, uint256 month) private pure returns (uint256) {
        unchecked {
            if (month != 2) return 30 + ((month + (month >> 3)) & 1);
            bool isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            return isLeap ? 29 : 28;
        }
    }

    /// @dev Years are counted from March here, so that the leap day comes last; 719,468 days lie before 1970.
    function _daysSince1970(uint256 year, uint256 month, uint256 day) private pure returns (uint256) {
        unchecked {
            uint256 sinceMarch = (month + 9) % 12;
            uint256 y = month < 3 ? year - 1 : year;
            return 365 * y + y / 4 - y / 100 + y / 400 + (sinceMarch * 306 + 5) / 10 + day - 1 - 719_468;
        }
    }
}
