// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IZkAdapter} from "../../interfaces/IZkVerifier.sol";

/// @notice SP1's verifier or its gateway (Succinct, sp1-contracts: ISP1Verifier).
interface ISp1Verifier {
    /// @notice Reverts unless `proofBytes` proves that the program of this key committed to `publicValues`.
    function verifyProof(
        bytes32 programVKey,
        bytes calldata publicValues,
        bytes calldata proofBytes
    ) external view;
}

/// @title Sp1Adapter: a program is an SP1 verification key, a seal its proof bytes
contract Sp1Adapter is IZkAdapter {
    /// @notice A gateway routes by the proof's first four bytes, and whoever owns it may add routes: one verifier of one
    /// version trusts nobody further.
    ISp1Verifier public immutable gateway;

    constructor(ISp1Verifier gateway_) {
        require(address(gateway_).code.length != 0, NoGateway(address(gateway_)));
        gateway = gateway_;
    }

    /// @inheritdoc IZkAdapter
    function requireProven(bytes32 program, bytes calldata journal, bytes calldata seal) external view {
        gateway.verifyProof(program, journal, seal);
    }
}
