// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @title Vm: the cheatcodes that our Solidity tests use, of Hardhat's test runner
interface Vm {
    function warp(uint256 time) external;
    function prank(address sender) external;
    function chainId(uint256 id) external;
}

Vm constant VM = Vm(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);
