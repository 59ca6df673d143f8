// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {PckCa} from "./IDcapCollateral.sol";
import {TeeKind} from "./Types.sol";

/// @notice SHA-256 of the pieces that are kept now: of the two JSON documents the exact text that Intel signed, of the CRLs
/// the whole DER.
struct DcapDocuments {
    bytes32 tcbInfo;
    bytes32 qeIdentity;
    bytes32 pckCrl;
    bytes32 rootCrl;
}

/// @title Which documents of Intel's DcapCollateral keeps now: what a proof made elsewhere must have judged by
interface IDcapDocuments {
    /// @notice The documents that judge the family (tee, fmspc, ca). Reverts CollateralMissing where any is missing, and
    /// CollateralExpired where any is not valid now, as `IDcapCollateral.judge` does.
    /// @return documents their digests. @return validUntil end of the intersection of all, seconds.
    function documentsOf(
        TeeKind tee,
        bytes6 fmspc,
        PckCa ca
    ) external view returns (DcapDocuments memory documents, uint40 validUntil);
    /// @notice Whether the root is a test root. Reverts on production chains when it is.
    function simulated() external view returns (bool);
}
