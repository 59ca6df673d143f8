// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {PckCertificate, PckLeaf} from "../PckLeaf.sol";
import {PckTemplate} from "../PckTemplate.sol";

/// @title PckLeafHarness: the reader of PCK certificates alone
contract PckLeafHarness {
    function read(bytes calldata der, bool simulated) external view returns (PckCertificate memory) {
        return PckLeaf.read(der, simulated);
    }

    function readFields(bytes calldata fields, bool simulated) external view returns (PckCertificate memory) {
        return PckTemplate.read(fields, simulated);
    }

    /// @notice Gas that the reading takes.
    function measure(bytes calldata der, bool simulated) external view returns (uint256) {
        uint256 before = gasleft();
        PckLeaf.read(der, simulated);
        return before - gasleft();
    }
}
