// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {AppBootInfo, IAppAuth} from "./IAppAuth.sol";

/// @title dstack's KMS registry (0.5.x and the 0.6.0 line), as its KMS, webhook and cloud SDK call it
interface IDstackKms is IAppAuth {
    struct KmsInfo {
        bytes k256Pubkey;
        bytes caPubkey;
        bytes quote;
        bytes eventlog;
    }

    event AppRegistered(address appId);
    event AppDeployedViaFactory(address indexed appId, address indexed deployer);
    event OsImageHashAdded(bytes32 osImageHash);
    event OsImageHashRemoved(bytes32 osImageHash);
    event KmsAggregatedMrAdded(bytes32 mrAggregated);
    event KmsAggregatedMrRemoved(bytes32 mrAggregated);
    event KmsDeviceAdded(bytes32 deviceId);
    event KmsDeviceRemoved(bytes32 deviceId);
    event GatewayAppIdSet(string gatewayAppId);
    event KmsInfoSet(bytes k256Pubkey);

    error InvalidAppId();
    error TooManyOsImages(uint256 limit);

    /// @notice Registers any contract that answers `isAppAllowed`. Anybody may: it allows nothing by itself.
    function registerApp(address appId) external;
    /// @notice Makes a Charter app that answers boot info, owned by `initialOwner`, and registers it. Its image list is this
    /// registry's of now. Without `requireTcbUpToDate` every status but Revoked is accepted; advisories beside a status
    /// other than UpToDate still need entries of the app.
    function deployAndRegisterApp(
        address initialOwner,
        bool disableUpgrades,
        bool requireTcbUpToDate,
        bool allowAnyDevice,
        bytes32 initialDeviceId,
        bytes32 initialComposeHash
    ) external returns (address appId);
    /// @notice As above, without `requireTcbUpToDate`.
    function deployAndRegisterApp(
        address initialOwner,
        bool disableUpgrades,
        bool allowAnyDevice,
        bytes32 initialDeviceId,
        bytes32 initialComposeHash
    ) external returns (address appId);

    /// @notice May this KMS instance boot?
    function isKmsAllowed(
        AppBootInfo calldata bootInfo
    ) external view returns (bool isAllowed, string memory reason);
    function registeredApps(address appId) external view returns (bool);
    function allowedOsImages(bytes32 osImageHash) external view returns (bool);
    function kmsAllowedAggregatedMrs(bytes32 mrAggregated) external view returns (bool);
    function kmsAllowedDeviceIds(bytes32 deviceId) external view returns (bool);
    function gatewayAppId() external view returns (string memory);
    /// @notice The logic that every app deployed here runs, for good (dstack's webhook shows it).
    function appImplementation() external view returns (address);
    function kmsInfo()
        external
        view
        returns (bytes memory k256Pubkey, bytes memory caPubkey, bytes memory quote, bytes memory eventlog);

    /// @notice Owner only, as are all below.
    function addOsImageHash(bytes32 osImageHash) external;
    function removeOsImageHash(bytes32 osImageHash) external;
    function addKmsAggregatedMr(bytes32 mrAggregated) external;
    function removeKmsAggregatedMr(bytes32 mrAggregated) external;
    function addKmsDevice(bytes32 deviceId) external;
    function removeKmsDevice(bytes32 deviceId) external;
    function setGatewayAppId(string calldata appId) external;
    function setKmsInfo(KmsInfo calldata info) external;
}
