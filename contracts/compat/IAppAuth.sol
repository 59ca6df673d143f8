// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @notice dstack's boot info (0.5.x and 0.6.0), field for field.
struct AppBootInfo {
    address appId;
    bytes32 composeHash;
    address instanceId;
    bytes32 deviceId;
    bytes32 mrAggregated;
    bytes32 mrSystem;
    bytes32 osImageHash;
    string tcbStatus;
    string[] advisoryIds;
}

/// @title dstack's IAppAuth: ERC-165 id 0x1e079198
interface IAppAuth {
    /// @notice Does this app allow this boot? `reason` is empty when it does.
    function isAppAllowed(
        AppBootInfo calldata bootInfo
    ) external view returns (bool isAllowed, string memory reason);
}
