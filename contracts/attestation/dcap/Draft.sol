// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IDcapVerifier} from "../../interfaces/IDcapVerifier.sol";

/// @title Draft: bytes written one after the other into memory of their own
/// @dev Every function but `start` writes at `to`, up to 32 bytes beyond what it adds, and returns where the next goes. The
/// caller took room for all of it, and 32 bytes more, by `start`.
library Draft {
    /// @notice Takes `room` bytes of memory.
    function start(uint256 room) internal pure returns (uint256 to) {
        assembly ("memory-safe") {
            to := mload(0x40)
            mstore(0x40, add(to, room))
        }
    }

    /// @notice The lowest `size` bytes of a number.
    function put(uint256 to, uint256 value, uint256 size) internal pure returns (uint256 next) {
        assembly ("memory-safe") {
            mstore(to, shl(sub(256, shl(3, size)), value))
            next := add(to, size)
        }
    }

    /// @notice Bytes of call data.
    /// @param from absolute.
    function copy(uint256 to, uint256 from, uint256 size) internal pure returns (uint256 next) {
        assembly ("memory-safe") {
            calldatacopy(to, from, size)
            next := add(to, size)
        }
    }

    function append(uint256 to, bytes memory more) internal pure returns (uint256 next) {
        assembly ("memory-safe") {
            let size := mload(more)
            mcopy(to, add(more, 32), size)
            next := add(to, size)
        }
    }

    /// @notice Two bytes, written over what stands there.
    function setLength(uint256 to, uint256 length) internal pure {
        assembly ("memory-safe") {
            mstore8(to, shr(8, length))
            mstore8(add(to, 1), length)
        }
    }

    /// @return digest SHA-256 of what was written from `from` on.
    /// @return hash keccak256 of the same.
    function hashes(uint256 from, uint256 to) internal view returns (bytes32 digest, bytes32 hash) {
        bool ok;
        // 2 is the precompiled contract of SHA-256. Arguments are computed from the last one to the first.
        assembly ("memory-safe") {
            let length := sub(to, from)
            hash := keccak256(from, length)
            ok := and(eq(returndatasize(), 32), staticcall(gas(), 2, from, length, 0, 32))
            digest := mload(0)
        }
        // It fails only for want of gas: the digest would be what lay in memory before.
        require(ok, IDcapVerifier.BadCertificate(0));
    }
}
