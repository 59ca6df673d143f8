// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {AppHandler} from "./AppHandler.t.sol";

/// @notice Long random histories of one app: no code before its notice or again after its end, no loosening early or over
/// a later tightening, nothing earlier than control() said, and a frozen app that stays as it is.
contract AppInvariants {
    AppHandler private _handler;

    function setUp() external {
        _handler = new AppHandler();
    }

    /// @dev The runner calls nothing but this.
    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_handler);
    }

    function invariant_nothingIsBroken() external view {
        require(bytes(_handler.broken()).length == 0, _handler.broken());
    }
}
