// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {AppBootInfo, IAppAuth} from "../compat/IAppAuth.sol";
import {IApp} from "../interfaces/IApp.sol";
import {Facts, Reason, SettingKind, TcbStatus} from "../interfaces/Types.sol";
import {DevelopmentChain} from "../lib/DevelopmentChain.sol";
import {AppControl} from "./AppControl.sol";
import {BootReasons} from "./BootReasons.sol";

/// @title AppPolicy: does today's policy allow this instance?
/// @notice protocol/policy/judge.ts and protocol/policy/bootInfo.ts are its twins; a differential test runs both.
abstract contract AppPolicy is AppControl, IAppAuth {
    /// @inheritdoc IApp
    function judge(Facts calldata facts) external view returns (Reason) {
        if (facts.simulated && !DevelopmentChain.isOne()) return Reason.SimulatedNotAllowed;
        if (!_isNumberAllowed(facts.release)) return Reason.ReleaseNotAllowed;
        if (!_isOn(SettingKind.TeeKind, bytes32(uint256(facts.kind)))) return Reason.TeeKindNotAllowed;
        Reason tcb = _judgeTcb(facts.status, facts.hasAdvisories);
        if (tcb != Reason.Allowed) return tcb;
        bytes32 digest = bytes32(_effective(SettingKind.OsImage, facts.osImageHash));
        if (digest == 0 || (digest != facts.measurementDigest && digest != facts.pinnedMeasurementDigest)) {
            return Reason.OsImageNotAllowed;
        }
        if (!_isNodeAllowed(facts.platformId)) return Reason.NodeNotAllowed;
        uint256 required = _requiredProofs();
        if (required == 0 || facts.proofSystems & required != required) return Reason.ProofMissing;
        return Reason.Allowed;
    }

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
        Reason tcb = _judgeTcb(BootReasons.statusOf(bootInfo.tcbStatus), bootInfo.advisoryIds.length != 0);
        if (tcb != Reason.Allowed) return tcb;
        if (_effective(SettingKind.OsImage, bootInfo.osImageHash) == 0) return Reason.OsImageNotAllowed;
        if (!_isNodeAllowed(bootInfo.deviceId)) return Reason.NodeNotAllowed;
        return Reason.Allowed;
    }

    /// @dev Advisories may accompany UpToDate; with any other status they need a list, which is empty until there is one.
    function _judgeTcb(TcbStatus status, bool hasAdvisories) private view returns (Reason) {
        if (!_isOn(SettingKind.TcbStatus, bytes32(uint256(status)))) return Reason.TcbStatusNotAllowed;
        if (hasAdvisories && status != TcbStatus.UpToDate) return Reason.AdvisoryNotAllowed;
        return Reason.Allowed;
    }

    function _isOn(SettingKind kind, bytes32 key) private view returns (bool) {
        return key != 0 && _effective(kind, key) == 1;
    }

    function _isNodeAllowed(bytes32 platformId) private view returns (bool) {
        return _effective(SettingKind.AnyNode, 0) == 1 || _isOn(SettingKind.Node, platformId);
    }

    function _requiredProofs() private view returns (uint256 required) {
        required = _state.requiredProofs;
        if (_state.pendingCount == 0) return required;
        for (uint256 system = 1; system < 8; ++system) {
            if (required & (1 << system) != 0 && _effective(SettingKind.ProofSystem, bytes32(system)) == 0) {
                required &= ~(1 << system);
            }
        }
    }
}
