// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IDcapCollateral} from "../../interfaces/IDcapCollateral.sol";

/// @title Refusals: which errors of a judgement say something of the platform
/// @dev By selector and nothing else: a call that ran out of gas, or collateral that is missing or expired, says nothing.
library Refusals {
    function isOfPlatform(bytes memory reason) internal pure returns (bool) {
        bytes4 selector = bytes4(reason);
        return
            reason.length >= 4 &&
            (selector == IDcapCollateral.CertificateRevoked.selector ||
                selector == IDcapCollateral.PlatformTcbNotCovered.selector ||
                selector == IDcapCollateral.PceIdMismatch.selector ||
                selector == IDcapCollateral.QeIdentityMismatch.selector ||
                selector == IDcapCollateral.QeTcbNotCovered.selector ||
                selector == IDcapCollateral.ModuleIdentityMismatch.selector ||
                selector == IDcapCollateral.ModuleTcbNotCovered.selector);
    }

    /// @notice Reverts with the same bytes.
    function rethrow(bytes memory reason) internal pure {
        assembly ("memory-safe") {
            revert(add(reason, 32), mload(reason))
        }
    }
}
