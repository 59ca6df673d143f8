// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @title Serials: serial numbers of revoked certificates, as they are kept
/// @notice 20 bytes each, ascending, each once. What a list once named stays named: a certificate that Intel revoked does
/// not come back because a later CRL leaves it out.
library Serials {
    uint256 private constant BYTES = 20;

    /// @notice All that either of both names. @param listed any order, any repetition; it is sorted here.
    function union(bytes memory known, uint256[] memory listed) internal pure returns (bytes memory serials) {
        _sort(listed);
        serials = new bytes(known.length + BYTES * (listed.length + 1));
        assembly ("memory-safe") {
            let none := not(0) // above every serial
            let a := add(known, 32)
            let aEnd := add(a, mload(known))
            let b := add(listed, 32)
            let bEnd := add(b, shl(5, mload(listed)))
            let first := add(serials, 32)
            let to := first
            let last := none
            for {} or(lt(a, aEnd), lt(b, bEnd)) {} {
                let left := none
                if lt(a, aEnd) {
                    left := shr(96, mload(a))
                }
                let right := none
                if lt(b, bEnd) {
                    right := mload(b)
                }
                let isLeft := lt(left, right)
                let least := xor(right, mul(xor(left, right), isLeft))
                a := add(a, mul(20, isLeft))
                b := add(b, shl(5, iszero(isLeft)))
                // Written where the next one goes; what repeats the last is written over.
                mstore(to, shl(96, least))
                to := add(to, mul(20, iszero(eq(least, last))))
                last := least
            }
            mstore(serials, sub(to, first))
        }
    }

    /// @notice Whether `serial`, below 2^160, is among them.
    function has(bytes memory serials, uint256 serial) internal pure returns (bool) {
        return _leastFrom(serials, serial) == serial;
    }

    /// @notice Whether one of them has this tag.
    function hasTag(bytes memory serials, uint32 tag) internal pure returns (bool) {
        return _leastFrom(serials, uint256(tag) << 128) >> 128 == tag;
    }

    /// @notice What is kept of a serial where there is no room for it: the first 32 of its 160 bits. Intel's are random.
    function tagOf(uint256 serial) internal pure returns (uint32) {
        return uint32(serial >> 128);
    }

    /// @dev The least of them that is not below `serial`, by halves; the highest number where all are below.
    function _leastFrom(bytes memory serials, uint256 serial) private pure returns (uint256 found) {
        assembly ("memory-safe") {
            let first := add(serials, 32)
            let low := 0
            let high := div(mload(serials), 20)
            found := not(0)
            for {} lt(low, high) {} {
                let middle := shr(1, add(low, high))
                let here := shr(96, mload(add(first, mul(20, middle))))
                switch lt(here, serial)
                case 1 {
                    low := add(middle, 1)
                }
                default {
                    high := middle
                    found := here
                }
            }
        }
    }

    /// @dev Merge sort from below: as dear for the worst order as for the best.
    function _sort(uint256[] memory list) private pure {
        assembly ("memory-safe") {
            let size := shl(5, mload(list))
            let home := add(list, 32)
            let from := home
            // A second list behind the free memory pointer, where nothing is kept.
            let to := mload(0x40)
            for {
                let width := 32
            } lt(width, size) {
                width := shl(1, width)
            } {
                let out := to
                for {
                    let start := 0
                } lt(start, size) {
                    start := add(start, shl(1, width))
                } {
                    let a := add(from, start)
                    let aEnd := add(a, width)
                    let end := add(from, size)
                    if gt(aEnd, end) {
                        aEnd := end
                    }
                    let b := aEnd
                    let bEnd := add(b, width)
                    if gt(bEnd, end) {
                        bEnd := end
                    }
                    for {} lt(a, aEnd) {} {
                        let left := mload(a)
                        for {} lt(b, bEnd) {} {
                            let right := mload(b)
                            if gt(right, left) {
                                break
                            }
                            mstore(out, right)
                            out := add(out, 32)
                            b := add(b, 32)
                        }
                        mstore(out, left)
                        out := add(out, 32)
                        a := add(a, 32)
                    }
                    mcopy(out, b, sub(bEnd, b))
                    out := add(out, sub(bEnd, b))
                }
                let other := from
                from := to
                to := other
            }
            if sub(from, home) {
                mcopy(home, from, size)
            }
        }
    }
}
