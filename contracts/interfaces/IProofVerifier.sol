// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ProofSystem, Standing, Verdict} from "./Types.sol";

/// @title What every proof system offers: a proven verdict
interface IProofVerifier {
    error UnknownRecord(uint32 record);

    /// @notice Reverts unless `proof` proves a verdict for the caller as its consumer, and returns that verdict. Never a
    /// boolean that a caller may forget. Not a view: what was verified once may be kept.
    /// @return verdict what is proven.
    /// @return record what the verdict rests on, to be asked again by `standing` at each use; 0: it rests on nothing that
    /// changes before `until`.
    /// @return until seconds; the verdict counts before it, and (with a record) only while its standing allows.
    function verify(
        bytes calldata proof
    ) external returns (Verdict memory verdict, uint32 record, uint40 until);

    /// @notice Today's standing of a record. @dev Reverts UnknownRecord; a system without records always does.
    function standing(uint32 record) external view returns (Standing memory);

    function proofSystem() external view returns (ProofSystem);
}
