// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IDcapVerifier} from "../../interfaces/IDcapVerifier.sol";

/// @title DerSpan: strict DER (X.690 §10) over call data, by offsets from the certificate's start
/// @dev `base` is where the certificate starts in call data, `end` the end of what is read in: each element must end at
/// or before it, so a length never reaches over its parent. A word may be read past `end` (call data reads as zeros after
/// its own end); what is concluded from it holds only because the element's `next` is compared with `end` as well.
library DerSpan {
    /// @notice 1.2.840.113741.1.13.1, the content of its OBJECT IDENTIFIER.
    uint256 internal constant SGX = 0x2a864886f84d010d01;

    /// @notice 32 bytes at an offset.
    function word(uint256 base, uint256 pos) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := calldataload(add(base, pos))
        }
    }

    /// @notice keccak256 of the bytes from `start` to `end`, by way of memory that nobody else uses.
    function hash(uint256 base, uint256 start, uint256 end) internal pure returns (bytes32 value) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            let length := sub(end, start)
            calldatacopy(free, add(base, start), length)
            value := keccak256(free, length)
        }
    }

    /// @notice Reads tag and length: definite and minimal.
    /// @return content where the content starts.
    /// @return next where
    /// the element ends.
    /// @dev Two bytes of length are the most: nothing here is longer than 16,384.
    function enter(
        uint256 base,
        uint256 pos,
        uint256 end,
        uint256 tag
    ) internal pure returns (uint256 content, uint256 next) {
        uint256 bad;
        // head: tag ‖ length (1 byte below 0x80; else 0x81 or 0x82 and one or two bytes of it, minimal).
        assembly ("memory-safe") {
            let head := calldataload(add(base, pos))
            let length := and(shr(240, head), 0xff)
            content := add(pos, 2)
            if gt(length, 0x7f) {
                switch length
                case 0x81 {
                    length := and(shr(232, head), 0xff)
                    bad := lt(length, 0x80)
                    content := add(pos, 3)
                }
                case 0x82 {
                    length := and(shr(224, head), 0xffff)
                    bad := lt(length, 0x100)
                    content := add(pos, 4)
                }
                default {
                    bad := 1
                }
            }
            next := add(content, length)
            bad := or(bad, or(sub(shr(248, head), tag), gt(next, end)))
        }
        if (bad != 0) revert IDcapVerifier.BadCertificate(pos);
    }

    /// @notice A non-negative, minimal INTEGER of at most `most` (≤ 32) bytes, its sign byte not counted.
    function unsigned(
        uint256 base,
        uint256 pos,
        uint256 end,
        uint256 most
    ) internal pure returns (uint256 value, uint256 next) {
        unchecked {
            uint256 content;
            (content, next) = enter(base, pos, end, 0x02);
            uint256 length = next - content;
            uint256 first = word(base, content);
            bool isMinimal = length != 0 && first >> 255 == 0;
            if (length > 1 && first >> 248 == 0) {
                // A zero in front is there only to keep the number positive.
                first = word(base, ++content);
                isMinimal = first >> 255 == 1;
                --length;
            }
            require(isMinimal && length <= most, IDcapVerifier.BadCertificate(pos));
            value = first >> (256 - 8 * length);
        }
    }

    /// @notice OBJECT IDENTIFIER with minimal arcs of at most 32 bits.
    /// @return id for 2.5.29.n (id-ce, n < 128) n, for Intel's SGX extension SGX, for any other keccak256 of its content.
    function objectId(
        uint256 base,
        uint256 pos,
        uint256 end
    ) internal pure returns (bytes32 id, uint256 next) {
        unchecked {
            uint256 content;
            (content, next) = enter(base, pos, end, 0x06);
            uint256 length = next - content;
            uint256 head = word(base, content);
            if (length == 3 && head >> 239 == 0x551d << 1) return (bytes32((head >> 232) & 0xff), next);
            if (length == 9 && head >> 184 == SGX) return (bytes32(SGX), next);
            uint256 arc = 0;
            bool isFirst = true;
            for (uint256 i = content; i < next; ++i) {
                uint256 one = word(base, i) >> 248;
                require(!isFirst || one != 0x80, IDcapVerifier.BadCertificate(i));
                arc = ((isFirst ? 0 : arc) << 7) | (one & 0x7f);
                require(arc <= 0xffff_ffff, IDcapVerifier.BadCertificate(i));
                isFirst = one < 0x80;
            }
            require(length != 0 && isFirst, IDcapVerifier.BadCertificate(pos));
            id = hash(base, content, next);
        }
    }
}
