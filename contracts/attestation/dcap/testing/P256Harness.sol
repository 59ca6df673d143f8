// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {P256} from "../P256.sol";

/// @title P256Harness: the signature check alone
contract P256Harness {
    function verify(bytes32 digest, bytes32 r, bytes32 s, bytes32 x, bytes32 y) external view returns (bool) {
        return P256.verify(digest, r, s, x, y);
    }

    function requirePrecompile() external view {
        P256.requirePrecompile();
    }
}
