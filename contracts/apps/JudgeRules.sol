// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Reason, SettingKind, TcbStatus} from "../interfaces/Types.sol";
import {ReleaseRules} from "./ReleaseRules.sol";

/// @title JudgeRules: the parts of today's policy, asked one at a time
abstract contract JudgeRules is ReleaseRules {
    function _judgeTcb(TcbStatus status) internal view returns (Reason) {
        bytes32 key = bytes32(uint256(status));
        if (_isOn(SettingKind.TcbStatus, key)) return Reason.Allowed;
        bool inTime = key != 0 && block.timestamp < _effective(SettingKind.TcbStatusUntil, key);
        return inTime ? Reason.Allowed : Reason.TcbStatusNotAllowed;
    }

    /// @dev Advisories may accompany UpToDate; with any other status each must be accepted, and not only once been. A set
    /// that nobody has published has no ids here: what cannot be read cannot be accepted.
    function _judgeAdvisories(bytes32[] memory ids) internal view returns (Reason) {
        if (ids.length == 0) return Reason.AdvisoryNotAllowed;
        for (uint256 i = 0; i < ids.length; ++i) {
            if (block.timestamp >= _effective(SettingKind.Advisory, ids[i])) return Reason.AdvisoryNotAllowed;
        }
        return Reason.Allowed;
    }

    function _isOn(SettingKind kind, bytes32 key) internal view returns (bool) {
        return key != 0 && _effective(kind, key) == 1;
    }

    function _isNodeAllowed(bytes32 platformId, address operator) internal view returns (bool) {
        if (_effective(SettingKind.AnyNode, 0) == 1 || _isOn(SettingKind.Node, platformId)) return true;
        bytes32 endorsement = bytes32(_effective(SettingKind.Endorsement, 0));
        return endorsement != 0 && _endorsements.endorses(endorsement, platformId, operator);
    }

    function _requiredProofs() internal view returns (uint256 required) {
        required = _state.requiredProofs;
        if (_state.pendingCount == 0) return required;
        for (uint256 system = 1; system < 8; ++system) {
            if (required & (1 << system) != 0 && _effective(SettingKind.ProofSystem, bytes32(system)) == 0) {
                required &= ~(1 << system);
            }
        }
    }
}
