// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";

import {AppSettings, Setting} from "../interfaces/IApp.sol";
import {IAppRegistry} from "../interfaces/IAppRegistry.sol";
import {ProofSystem, SettingKind, TcbStatus, TeeKind} from "../interfaces/Types.sol";
import {AppBootInfo, IAppAuth} from "./IAppAuth.sol";
import {IDstackKms} from "./IDstackKms.sol";

/// @title DstackKms: the registry that a dstack KMS, its webhook and its cloud SDK expect, over Charter's apps
/// @notice Which OS images and KMS instances a deployment trusts is its owner's (the Timelock's) to say; what an app
/// allows is the app's. Any contract with dstack's IAppAuth can be registered, so peers' apps keep working.
contract DstackKms is IDstackKms, Ownable2Step {
    /// @dev The most images that a deployed app starts with: bounds the loop over them.
    uint256 private constant MAX_IMAGES = 16;
    /// @dev Stands where an image's measurement digest would: boot info is compared by the image's hash alone, and no
    /// measurement hashes to this, so that a direct proof finds nothing to rest on.
    uint256 private constant BY_HASH_ALONE = 1;

    IAppRegistry public immutable appRegistry;

    /// @inheritdoc IDstackKms
    KmsInfo public kmsInfo;
    /// @inheritdoc IDstackKms
    string public gatewayAppId;
    /// @inheritdoc IDstackKms
    mapping(address app => bool registered) public registeredApps;
    /// @inheritdoc IDstackKms
    mapping(bytes32 osImageHash => bool allowed) public allowedOsImages;
    /// @inheritdoc IDstackKms
    mapping(bytes32 mrAggregated => bool allowed) public kmsAllowedAggregatedMrs;
    /// @inheritdoc IDstackKms
    mapping(bytes32 deviceId => bool allowed) public kmsAllowedDeviceIds;
    bytes32[] private _images;
    uint256 private _deployed;

    constructor(address owner, IAppRegistry appRegistry_) Ownable(owner) {
        appRegistry = appRegistry_;
    }

    /// @inheritdoc IDstackKms
    function appImplementation() external view returns (address) {
        return appRegistry.implementation();
    }

    // ---------------------------------------------------------------- apps

    /// @inheritdoc IDstackKms
    function registerApp(address appId) external {
        require(appId != address(0), InvalidAppId());
        _register(appId);
    }

    /// @inheritdoc IDstackKms
    function deployAndRegisterApp(
        address initialOwner,
        bool disableUpgrades,
        bool requireTcbUpToDate,
        bool allowAnyDevice,
        bytes32 initialDeviceId,
        bytes32 initialComposeHash
    ) external returns (address appId) {
        return
            _deploy(
                initialOwner,
                disableUpgrades,
                requireTcbUpToDate,
                allowAnyDevice,
                initialDeviceId,
                initialComposeHash
            );
    }

    /// @inheritdoc IDstackKms
    function deployAndRegisterApp(
        address initialOwner,
        bool disableUpgrades,
        bool allowAnyDevice,
        bytes32 initialDeviceId,
        bytes32 initialComposeHash
    ) external returns (address appId) {
        return
            _deploy(
                initialOwner,
                disableUpgrades,
                false,
                allowAnyDevice,
                initialDeviceId,
                initialComposeHash
            );
    }

    // ---------------------------------------------------------------- questions

    /// @inheritdoc IAppAuth
    function isAppAllowed(
        AppBootInfo calldata bootInfo
    ) external view returns (bool isAllowed, string memory reason) {
        if (!registeredApps[bootInfo.appId]) return (false, "App not registered");
        if (!allowedOsImages[bootInfo.osImageHash]) return (false, "OS image is not allowed");
        if (bootInfo.appId.code.length == 0) return (false, "App not deployed or invalid address");
        return IAppAuth(bootInfo.appId).isAppAllowed(bootInfo);
    }

    /// @inheritdoc IDstackKms
    function isKmsAllowed(
        AppBootInfo calldata bootInfo
    ) external view returns (bool isAllowed, string memory reason) {
        if (keccak256(bytes(bootInfo.tcbStatus)) != keccak256("UpToDate"))
            return (false, "TCB status is not up to date");
        if (!allowedOsImages[bootInfo.osImageHash]) return (false, "OS image is not allowed");
        if (!kmsAllowedAggregatedMrs[bootInfo.mrAggregated]) return (false, "Aggregated MR not allowed");
        if (!kmsAllowedDeviceIds[bootInfo.deviceId])
            return (false, "KMS is not allowed to boot on this device");
        return (true, "");
    }

    // ---------------------------------------------------------------- what the owner says

    /// @inheritdoc IDstackKms
    function addOsImageHash(bytes32 osImageHash) external onlyOwner {
        if (!allowedOsImages[osImageHash]) {
            require(_images.length < MAX_IMAGES, TooManyOsImages(MAX_IMAGES));
            _images.push(osImageHash);
        }
        allowedOsImages[osImageHash] = true;
        emit OsImageHashAdded(osImageHash);
    }

    /// @inheritdoc IDstackKms
    function removeOsImageHash(bytes32 osImageHash) external onlyOwner {
        allowedOsImages[osImageHash] = false;
        for (uint256 i = 0; i < _images.length; ++i) {
            if (_images[i] != osImageHash) continue;
            _images[i] = _images[_images.length - 1];
            _images.pop();
            break;
        }
        emit OsImageHashRemoved(osImageHash);
    }

    /// @inheritdoc IDstackKms
    function addKmsAggregatedMr(bytes32 mrAggregated) external onlyOwner {
        kmsAllowedAggregatedMrs[mrAggregated] = true;
        emit KmsAggregatedMrAdded(mrAggregated);
    }

    /// @inheritdoc IDstackKms
    function removeKmsAggregatedMr(bytes32 mrAggregated) external onlyOwner {
        kmsAllowedAggregatedMrs[mrAggregated] = false;
        emit KmsAggregatedMrRemoved(mrAggregated);
    }

    /// @inheritdoc IDstackKms
    function addKmsDevice(bytes32 deviceId) external onlyOwner {
        kmsAllowedDeviceIds[deviceId] = true;
        emit KmsDeviceAdded(deviceId);
    }

    /// @inheritdoc IDstackKms
    function removeKmsDevice(bytes32 deviceId) external onlyOwner {
        kmsAllowedDeviceIds[deviceId] = false;
        emit KmsDeviceRemoved(deviceId);
    }

    /// @inheritdoc IDstackKms
    function setGatewayAppId(string calldata appId) external onlyOwner {
        gatewayAppId = appId;
        emit GatewayAppIdSet(appId);
    }

    /// @inheritdoc IDstackKms
    function setKmsInfo(KmsInfo calldata info) external onlyOwner {
        kmsInfo = info;
        emit KmsInfoSet(info.k256Pubkey);
    }

    // ---------------------------------------------------------------- deployment

    function _register(address appId) private {
        registeredApps[appId] = true;
        emit AppRegistered(appId);
    }

    /// @dev An app's code can never be upgraded, so `disableUpgrades` asks for nothing that is not so already. There is no
    /// notice, as dstack has none: what the owner adds is allowed at once until they raise it.
    function _deploy(
        address initialOwner,
        bool,
        bool requireTcbUpToDate,
        bool allowAnyDevice,
        bytes32 initialDeviceId,
        bytes32 initialComposeHash
    ) private returns (address appId) {
        AppSettings memory settings;
        settings.composeHash = initialComposeHash;
        settings.settings = _settings(requireTcbUpToDate, allowAnyDevice, initialDeviceId);
        // Anybody may have taken the next address by making the same app through the registry: then the one after it.
        bytes32 digest = keccak256(abi.encode(settings));
        bytes32 salt;
        do {
            salt = bytes32(++_deployed);
        } while (appRegistry.predictApp(initialOwner, address(0), digest, salt).code.length != 0);
        appId = appRegistry.createApp(initialOwner, address(0), settings, salt);
        _register(appId);
        emit AppDeployedViaFactory(appId, msg.sender);
    }

    function _settings(
        bool requireTcbUpToDate,
        bool allowAnyDevice,
        bytes32 deviceId
    ) private view returns (Setting[] memory settings) {
        settings = new Setting[](_images.length + 12);
        uint256 count;
        settings[count++] = Setting(SettingKind.TeeKind, bytes32(uint256(TeeKind.Tdx)), 1);
        settings[count++] = Setting(SettingKind.ProofSystem, bytes32(uint256(ProofSystem.Committee)), 1);
        settings[count++] = Setting(SettingKind.MaxEvidenceAge, 0, 256);
        settings[count++] = Setting(SettingKind.AcceptBootInfo, 0, 1);
        uint256 last = uint256(
            requireTcbUpToDate ? TcbStatus.UpToDate : TcbStatus.OutOfDateConfigurationNeeded
        );
        for (uint256 status = uint256(TcbStatus.UpToDate); status <= last; ++status) {
            settings[count++] = Setting(SettingKind.TcbStatus, bytes32(status), 1);
        }
        if (allowAnyDevice) settings[count++] = Setting(SettingKind.AnyNode, 0, 1);
        if (deviceId != 0) settings[count++] = Setting(SettingKind.Node, deviceId, 1);
        for (uint256 i = 0; i < _images.length; ++i) {
            settings[count++] = Setting(SettingKind.OsImage, _images[i], BY_HASH_ALONE);
        }
        assembly ("memory-safe") {
            mstore(settings, count)
        }
    }
}
