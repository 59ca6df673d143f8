// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IDcapCollateral} from "../../interfaces/IDcapCollateral.sol";

/// @title P256: ECDSA on P-256 by the precompiled contract of EIP-7951
/// @dev It refuses r or s of zero or ≥ n, and points off the curve; it accepts a high s, as Intel's quotes may have one.
library P256 {
    uint256 private constant PRECOMPILE = 0x100;

    /// @notice Whether the key (x, y) signed this SHA-256 digest. Anything but the one answer "1" is false.
    function verify(
        bytes32 digest,
        bytes32 r,
        bytes32 s,
        bytes32 x,
        bytes32 y
    ) internal view returns (bool isSigned) {
        // Five words in memory that nobody else uses; the answer goes to the scratch space, cleared before.
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, digest)
            mstore(add(free, 32), r)
            mstore(add(free, 64), s)
            mstore(add(free, 96), x)
            mstore(add(free, 128), y)
            mstore(0, 0)
            let ok := staticcall(gas(), PRECOMPILE, free, 160, 0, 32)
            isSigned := and(ok, and(eq(returndatasize(), 32), eq(mload(0), 1)))
        }
    }

    /// @notice Reverts where the chain has no such precompile: there every signature would count as bad, or (another
    /// contract at that address) anything may.
    /// @dev RFC 6979 §A.2.5, P-256, SHA-256 of "sample".
    function requirePrecompile() internal view {
        bytes32 digest = sha256("sample");
        bytes32 r = 0xefd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716;
        bytes32 s = 0xf7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8;
        bytes32 x = 0x60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6;
        bytes32 y = 0x7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299;
        require(
            verify(digest, r, s, x, y) && !verify(~digest, r, s, x, y),
            IDcapCollateral.P256Unavailable()
        );
    }
}
