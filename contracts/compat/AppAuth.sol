// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {BootReasons} from "../apps/BootReasons.sol";
import {JudgeRules} from "../apps/JudgeRules.sol";
import {AppStorage} from "../apps/AppStorage.sol";
import {Entries} from "../apps/Entries.sol";
import {LiveSet} from "../apps/LiveSet.sol";
import {IAdvisorySets} from "../interfaces/IAdvisorySets.sol";
import {IEndorsements} from "../interfaces/IEndorsements.sol";
import {Level, Reason, SettingKind, TcbStatus} from "../interfaces/Types.sol";
import {AppBootInfo, IAppAuth} from "./IAppAuth.sol";
import {IAppAuthBasicManagement} from "./IAppAuthBasicManagement.sol";
import {IAppAuthQueries} from "./IAppAuthQueries.sol";

/// @title AppAuth: what a dstack KMS, webhook or SDK asks of an app
/// @notice Every app answers it: App hands calls that it does not know to this code (delegatecall), which has the same
/// rules and the same storage. protocol/policy/bootInfo.ts is the twin of `isAppAllowed`.
contract AppAuth is JudgeRules, IAppAuth, IAppAuthBasicManagement, IAppAuthQueries {
    using LiveSet for LiveSet.Live;

    constructor(
        IAdvisorySets advisorySets,
        IEndorsements endorsements
    ) AppStorage(advisorySets, endorsements) {}

    /// @inheritdoc IAppAuth
    function isAppAllowed(
        AppBootInfo calldata bootInfo
    ) external view returns (bool isAllowed, string memory reason) {
        Reason judged = _judgeBootInfo(bootInfo);
        return (judged == Reason.Allowed, BootReasons.text(judged));
    }

    function _judgeBootInfo(AppBootInfo calldata bootInfo) private view returns (Reason) {
        if (_effective(SettingKind.AcceptBootInfo, 0) != 1) return Reason.BootInfoNotAccepted;
        if (bootInfo.appId != address(this)) return Reason.WrongApp;
        if (!_isHashAllowed(bootInfo.composeHash)) return Reason.ReleaseNotAllowed;
        TcbStatus status = BootReasons.statusOf(bootInfo.tcbStatus);
        Reason tcb = _judgeTcb(status);
        if (tcb == Reason.Allowed && status != TcbStatus.UpToDate && bootInfo.advisoryIds.length != 0) {
            bytes32[] memory ids = new bytes32[](bootInfo.advisoryIds.length);
            for (uint256 i = 0; i < ids.length; ++i) ids[i] = keccak256(bytes(bootInfo.advisoryIds[i]));
            tcb = _judgeAdvisories(ids);
        }
        if (tcb != Reason.Allowed) return tcb;
        if (_effective(SettingKind.OsImage, bootInfo.osImageHash) == 0) return Reason.OsImageNotAllowed;
        if (!_isNodeAllowed(bootInfo.deviceId, address(0))) return Reason.NodeNotAllowed;
        return Reason.Allowed;
    }

    // ---------------------------------------------------------------- management

    /// @inheritdoc IAppAuthBasicManagement
    function addComposeHash(bytes32 composeHash) external {
        _propose(composeHash, 0, _loadLive().head(block.timestamp), _grace());
        emit ComposeHashAdded(composeHash);
    }

    /// @inheritdoc IAppAuthBasicManagement
    function removeComposeHash(bytes32 composeHash) external {
        _revoke(_latest[composeHash].number);
        emit ComposeHashRemoved(composeHash);
    }

    /// @inheritdoc IAppAuthBasicManagement
    function addDevice(bytes32 deviceId) external {
        _loosenOne(SettingKind.Node, deviceId, 1);
        emit DeviceAdded(deviceId);
    }

    /// @inheritdoc IAppAuthBasicManagement
    function removeDevice(bytes32 deviceId) external {
        _withdraw(SettingKind.Node, deviceId);
        emit DeviceRemoved(deviceId);
    }

    /// @inheritdoc IAppAuthQueries
    function setAllowAnyDevice(bool allowed) external {
        if (allowed) _loosenOne(SettingKind.AnyNode, 0, 1);
        else _withdraw(SettingKind.AnyNode, 0);
    }

    /// @inheritdoc IAppAuthQueries
    function allowedComposeHashes(bytes32 composeHash) external view returns (bool) {
        return _isHashAllowed(composeHash);
    }

    /// @inheritdoc IAppAuthQueries
    function allowedDeviceIds(bytes32 deviceId) external view returns (bool) {
        return _isOn(SettingKind.Node, deviceId);
    }

    /// @inheritdoc IAppAuthQueries
    function allowAnyDevice() external view returns (bool) {
        return _effective(SettingKind.AnyNode, 0) == 1;
    }

    function _loosenOne(SettingKind kind, bytes32 key, uint256 value) private {
        _requireOwner();
        _requireBelow(Level.Sealed);
        _settle();
        _loosen(kind, key, value, _now() + _notice());
    }

    /// @dev Takes away what is in force, or back what waits.
    function _withdraw(SettingKind kind, bytes32 key) private {
        _requireOwner();
        _requireBelow(Level.Frozen);
        _settle();
        bytes32 id = Entries.id(kind, key);
        PendingSlot memory pending = _pending[id];
        if (pending.effectiveAt == 0) return _tighten(kind, key, 0);
        _deletePending(id);
        emit LooseningCancelled(kind, key, pending.value, pending.effectiveAt, msg.sender);
    }
}
