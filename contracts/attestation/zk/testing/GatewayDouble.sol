// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @title GatewayDouble: accepts exactly one call, byte for byte, and refuses every other
contract GatewayDouble {
    bytes32 private _expected;

    error ProofInvalid(bytes32 expected, bytes32 actual);

    /// @param call the whole call data that will be accepted.
    function accept(bytes calldata call) external {
        _expected = keccak256(call);
    }

    fallback() external {
        require(_expected == keccak256(msg.data), ProofInvalid(_expected, keccak256(msg.data)));
    }
}
