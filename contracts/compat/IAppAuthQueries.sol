// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @title What dstack's cloud SDK reads and sets besides its two interfaces
interface IAppAuthQueries {
    /// @notice Is a release of this hash allowed now?
    function allowedComposeHashes(bytes32 composeHash) external view returns (bool);
    /// @notice Is this device allowed now, by an entry of its own?
    function allowedDeviceIds(bytes32 deviceId) external view returns (bool);
    function allowAnyDevice() external view returns (bool);
    /// @notice True loosens (after the notice), false tightens (at once). Owner only.
    function setAllowAnyDevice(bool allowed) external;
}
