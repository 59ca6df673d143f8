// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @title DevelopmentChain: the two chain ids on which simulated evidence may count
/// @dev Read at each use, never stored: a fork of a development chain under another id refuses from its first block.
library DevelopmentChain {
    function isOne() internal view returns (bool) {
        return block.chainid == 1337 || block.chainid == 31337;
    }
}
