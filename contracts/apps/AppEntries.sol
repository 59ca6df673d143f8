// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IApp, Setting} from "../interfaces/IApp.sol";
import {Level, SettingKind} from "../interfaces/Types.sol";
import {Entries} from "./Entries.sol";
import {JudgeRules} from "./JudgeRules.sol";

/// @title AppEntries: settings, entry by entry
abstract contract AppEntries is JudgeRules, IApp {
    // ---------------------------------------------------------------- changes

    /// @inheritdoc IApp
    function tighten(Setting[] calldata changes) external {
        _requireOwner();
        _requireBelow(Level.Frozen);
        _settle();
        for (uint256 i = 0; i < changes.length; ++i) {
            _tighten(changes[i].kind, changes[i].key, changes[i].value);
        }
    }

    /// @inheritdoc IApp
    function loosen(Setting[] calldata changes) external {
        _requireOwner();
        _requireBelow(Level.Sealed);
        _settle();
        uint40 effectiveAt = _now() + _notice();
        for (uint256 i = 0; i < changes.length; ++i) {
            _loosen(changes[i].kind, changes[i].key, changes[i].value, effectiveAt);
        }
    }

    /// @inheritdoc IApp
    function cancelLoosening(SettingKind kind, bytes32 key) external {
        _requireOwnerOrGuardian();
        _requireBelow(Level.Frozen);
        bytes32 id = Entries.id(kind, key);
        PendingSlot memory pending = _pending[id];
        require(pending.effectiveAt > block.timestamp, NothingPending(kind, key));
        _deletePending(id);
        emit LooseningCancelled(kind, key, pending.value, pending.effectiveAt, msg.sender);
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc IApp
    function setting(
        SettingKind kind,
        bytes32 key
    ) external view returns (uint256 value, uint256 pendingValue, uint40 effectiveAt) {
        PendingSlot memory pending = _pending[Entries.id(kind, key)];
        value = _effective(kind, key);
        if (pending.effectiveAt > block.timestamp)
            (pendingValue, effectiveAt) = (pending.value, pending.effectiveAt);
    }

    /// @inheritdoc IApp
    function maxEvidenceAgeBlocks() external view returns (uint32) {
        return uint32(_effective(SettingKind.MaxEvidenceAge, 0));
    }
}
