// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {BootReasons} from "../apps/BootReasons.sol";
import {JudgeRules} from "../apps/JudgeRules.sol";
import {AppStorage} from "../apps/AppStorage.sol";
import {IAdvisorySets} from "../interfaces/IAdvisorySets.sol";
import {IEndorsements} from "../interfaces/IEndorsements.sol";
import {Reason, SettingKind, TcbStatus} from "../interfaces/Types.sol";
import {AppBootInfo, IAppAuth} from "./IAppAuth.sol";

/// @title AppAuth: what a dstack KMS, webhook or SDK asks of an app
/// @notice Every app answers it: App hands calls that it does not know to this code (delegatecall), which has the same
/// rules and the same storage. protocol/policy/bootInfo.ts is the twin of `isAppAllowed`.
contract AppAuth is JudgeRules, IAppAuth {
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
}
