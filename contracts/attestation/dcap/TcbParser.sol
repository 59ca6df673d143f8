// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {QeIdentityHeader, QeIdentityParser} from "./QeIdentityParser.sol";
import {TcbInfoHeader, TcbInfoParser} from "./TcbInfoParser.sol";

/// @title TcbParser: the parsers as a contract of their own
/// @notice Pure functions without state or owner. They are 12 kB of code that only new collateral needs: a contract that
/// creates this one in its constructor keeps that room for itself (EIP-170) and pays a call for it.
contract TcbParser {
    /// @notice Parses TCB info, version 3. Reverts with IDcapCollateral.BadJson.
    /// @param json exact signed text @return blob as TcbBlob describes it
    function parseTcbInfo(
        bytes calldata json
    ) external pure returns (TcbInfoHeader memory header, bytes memory blob) {
        return TcbInfoParser.parse(json);
    }

    /// @notice Parses a QE or TD-QE identity, version 2. Reverts with IDcapCollateral.BadJson.
    /// @param json exact signed text @return blob as TcbBlob describes it
    function parseQeIdentity(
        bytes calldata json
    ) external pure returns (QeIdentityHeader memory header, bytes memory blob) {
        return QeIdentityParser.parse(json);
    }
}
