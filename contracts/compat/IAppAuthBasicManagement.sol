// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @title dstack's IAppAuthBasicManagement: ERC-165 id 0x8fd37527
/// @notice In Charter "added" means proposed: the getters say what is in force.
interface IAppAuthBasicManagement {
    event ComposeHashAdded(bytes32 composeHash);
    event ComposeHashRemoved(bytes32 composeHash);
    event DeviceAdded(bytes32 deviceId);
    event DeviceRemoved(bytes32 deviceId);

    /// @notice Proposes a release without a note, over the head of now, with the longest grace that the app gives: allowed
    /// after the notice, at once where there is none. Owner only.
    function addComposeHash(bytes32 composeHash) external;
    /// @notice Revokes the hash's release in this block. Owner or guardian.
    function removeComposeHash(bytes32 composeHash) external;
    /// @notice Loosens: the device is allowed after the notice. Owner only.
    function addDevice(bytes32 deviceId) external;
    /// @notice Tightens in this block, or takes a waiting `addDevice` back. Owner only.
    function removeDevice(bytes32 deviceId) external;
}
