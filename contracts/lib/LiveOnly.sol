// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IAttestationLedger} from "../interfaces/IAttestationLedger.sol";

/// @title LiveOnly: what a contract inherits to act for live instances alone
/// @notice An instance is asked for at each use and never remembered: what an app's release, policy, node, collateral or
/// expiry denies is denied here in the same block.
abstract contract LiveOnly {
    /// @notice The ledger that is asked. Fixed: another ledger would be another judge.
    IAttestationLedger public immutable attestationLedger;

    error NoLedger(address actual);

    /// @dev A ledger without code denies for ever; better to hear of it before anything lies here.
    constructor(IAttestationLedger ledger) {
        require(address(ledger).code.length != 0, NoLedger(address(ledger)));
        attestationLedger = ledger;
    }

    /// @notice Only a live instance of `app` may call. Reverts IAttestationLedger.NotLive.
    modifier onlyLive(address app) {
        _requireLive(app, msg.sender);
        _;
    }

    /// @dev Reverts IAttestationLedger.NotLive unless `key` is a live instance of `app` now.
    function _requireLive(address app, address key) internal view {
        attestationLedger.requireLive(app, key);
    }
}
