// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ProofSystem, Verdict} from "./Types.sol";

/// @title What every proof system offers: is this verdict proven?
interface IProofVerifier {
    /// @notice Reverts unless `proof` proves `verdict`. Never returns a boolean that a caller may forget.
    function requireProven(Verdict calldata verdict, bytes calldata proof) external view;
    function proofSystem() external view returns (ProofSystem);
}
