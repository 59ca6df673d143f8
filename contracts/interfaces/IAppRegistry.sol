// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {AppSettings} from "./IApp.sol";

/// @title AppRegistry: creates and lists apps
/// @notice An app's address binds registry, first owner, first guardian, keccak256(settings) and salt, so nobody can
/// take a published address with other rules.
interface IAppRegistry {
    /// @notice Emitted before the app's own AppInitialized, in the same transaction.
    event AppCreated(
        address indexed app,
        address indexed owner,
        address indexed guardian,
        bytes32 settingsDigest,
        bytes32 salt,
        address actor
    );

    error ZeroOwner();

    /// @notice Creates an app. Anyone may call it for anyone: the address binds what is created.
    /// @param guardian zero for none.
    function createApp(
        address owner,
        address guardian,
        AppSettings calldata settings,
        bytes32 salt
    ) external returns (address app);
    /// @notice Address that `createApp` with the same arguments gives.
    function predictApp(
        address owner,
        address guardian,
        bytes32 settingsDigest,
        bytes32 salt
    ) external view returns (address);
    /// @notice True only for clones that this registry created.
    function isApp(address app) external view returns (bool);
    /// @notice The logic that every app of this registry runs, for good.
    function implementation() external view returns (address);
}
