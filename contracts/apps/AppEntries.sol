// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IApp, Setting} from "../interfaces/IApp.sol";
import {Level, SettingKind} from "../interfaces/Types.sol";
import {AppStorage} from "./AppStorage.sol";
import {Entries} from "./Entries.sol";
import {LiveSet} from "./LiveSet.sol";

/// @title AppEntries: settings, entry by entry
/// @notice A tightening is in force at once and deletes the entry's pending loosening; a loosening waits the notice.
/// @dev A matured loosening counts without a transaction: readers look it up, and the next change settles it into the
/// stored value. So it can never come back over a later tightening.
abstract contract AppEntries is AppStorage {
    error TooManyPending(uint256 limit);

    // ---------------------------------------------------------------- changes

    /// @inheritdoc IApp
    function tighten(Setting[] calldata changes) external {
        _requireOwner();
        _requireBelow(Level.Frozen);
        _settle();
        for (uint256 i = 0; i < changes.length; ++i) {
            (SettingKind kind, bytes32 key, uint256 value) = (
                changes[i].kind,
                changes[i].key,
                changes[i].value
            );
            _requireValid(kind, key, value);
            uint256 current = _stored(kind, key);
            require(
                Entries.direction(kind, current, value) == Entries.Direction.Tightening,
                NotATightening(kind, key, current, value)
            );
            _deletePending(Entries.id(kind, key));
            _store(kind, key, value);
            emit SettingChanged(kind, key, current, value, _now(), msg.sender);
        }
    }

    /// @inheritdoc IApp
    function loosen(Setting[] calldata changes) external {
        _requireOwner();
        _requireBelow(Level.Sealed);
        _settle();
        LiveSet.Live memory live = _loadLive();
        uint40 effectiveAt = _now() + _notice(live);
        for (uint256 i = 0; i < changes.length; ++i) {
            (SettingKind kind, bytes32 key, uint256 value) = (
                changes[i].kind,
                changes[i].key,
                changes[i].value
            );
            _requireValid(kind, key, value);
            uint256 current = _stored(kind, key);
            require(
                Entries.direction(kind, current, value) == Entries.Direction.Loosening,
                NotALoosening(kind, key, current, value)
            );
            _requireProofLeft(kind, key, value);
            _addPending(kind, key, value, effectiveAt);
            emit SettingChanged(kind, key, current, value, effectiveAt, msg.sender);
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

    function _effective(SettingKind kind, bytes32 key) internal view returns (uint256) {
        if (_policy.pendingCount != 0) {
            PendingSlot memory pending = _pending[Entries.id(kind, key)];
            if (pending.effectiveAt != 0 && pending.effectiveAt <= block.timestamp) return pending.value;
        }
        return _stored(kind, key);
    }

    /// @dev Notice in force. The live set says whether a lowering may have matured, which saves reading the policy.
    function _notice(LiveSet.Live memory live) internal view returns (uint32) {
        return live.noticeLowering ? uint32(_effective(SettingKind.Notice, 0)) : _control.noticeSeconds;
    }

    function _grace(LiveSet.Live memory live) internal view returns (uint32) {
        return live.graceRaising ? uint32(_effective(SettingKind.Grace, 0)) : _control.graceSeconds;
    }

    /// @dev The entry's recorded loosening, matured or not; effectiveAt 0 when there is none.
    function _pendingOf(
        SettingKind kind,
        bytes32 key
    ) internal view returns (uint256 value, uint40 effectiveAt) {
        PendingSlot memory pending = _pending[Entries.id(kind, key)];
        return (pending.value, pending.effectiveAt);
    }

    /// @dev Earliest time at which a recorded loosening takes effect, NEVER if none waits.
    function _nextLoosening() internal view returns (uint40 next) {
        next = NEVER;
        uint256 count = _pendingIds.length;
        for (uint256 i = 0; i < count; ++i) {
            uint40 effectiveAt = _pending[_pendingIds[i]].effectiveAt;
            if (effectiveAt > block.timestamp && effectiveAt < next) next = effectiveAt;
        }
    }

    // ---------------------------------------------------------------- storage of entries

    function _stored(SettingKind kind, bytes32 key) internal view returns (uint256) {
        if (kind == SettingKind.Notice) return _control.noticeSeconds;
        if (kind == SettingKind.Grace) return _control.graceSeconds;
        if (kind == SettingKind.TeeKind) return (_policy.teeKinds >> uint256(key)) & 1;
        if (kind == SettingKind.TcbStatus) return (_policy.tcbStatuses >> uint256(key)) & 1;
        if (kind == SettingKind.ProofSystem) return (_policy.requiredProofs >> uint256(key)) & 1;
        if (kind == SettingKind.OsImage) return uint256(_osImages[key]);
        if (kind == SettingKind.Node) return _nodes[key] ? 1 : 0;
        if (kind == SettingKind.AnyNode) return _policy.anyNode ? 1 : 0;
        if (kind == SettingKind.MaxEvidenceAge) return _policy.maxEvidenceAge;
        if (kind == SettingKind.AcceptBootInfo) return _policy.acceptBootInfo ? 1 : 0;
        revert UnknownSetting(kind, key, 0);
    }

    function _store(SettingKind kind, bytes32 key, uint256 value) internal {
        if (kind == SettingKind.Notice) _control.noticeSeconds = uint32(value);
        else if (kind == SettingKind.Grace) _control.graceSeconds = uint24(value);
        else if (kind == SettingKind.OsImage) _osImages[key] = bytes32(value);
        else if (kind == SettingKind.Node) _nodes[key] = value == 1;
        else _policy = _withPolicy(_policy, kind, key, value);
    }

    /// @dev Entries that lie in the policy slot; others revert.
    function _withPolicy(
        PolicySlot memory policy,
        SettingKind kind,
        bytes32 key,
        uint256 value
    ) internal pure returns (PolicySlot memory) {
        if (kind == SettingKind.TeeKind) policy.teeKinds = uint8(_withBit(policy.teeKinds, key, value));
        else if (kind == SettingKind.TcbStatus)
            policy.tcbStatuses = uint16(_withBit(policy.tcbStatuses, key, value));
        else if (kind == SettingKind.ProofSystem) {
            policy.requiredProofs = uint8(_withBit(policy.requiredProofs, key, value));
        } else if (kind == SettingKind.AnyNode) policy.anyNode = value == 1;
        else if (kind == SettingKind.MaxEvidenceAge) policy.maxEvidenceAge = uint32(value);
        else if (kind == SettingKind.AcceptBootInfo) policy.acceptBootInfo = value == 1;
        else revert UnknownSetting(kind, key, value);
        return policy;
    }

    function _withBit(uint256 bits, bytes32 key, uint256 value) private pure returns (uint256) {
        uint256 bit = 1 << uint256(key);
        return value == 1 ? bits | bit : bits & ~bit;
    }

    // ---------------------------------------------------------------- pending loosenings

    /// @dev Writes what has matured into the stored values, so that later changes start from what is in force.
    function _settle() internal {
        uint256 i = _pendingIds.length;
        while (i != 0) {
            bytes32 id = _pendingIds[--i];
            PendingSlot memory pending = _pending[id];
            if (pending.effectiveAt <= block.timestamp) {
                _deletePending(id);
                _store(pending.kind, pending.key, pending.value);
            }
        }
    }

    function _addPending(SettingKind kind, bytes32 key, uint256 value, uint40 effectiveAt) private {
        bytes32 id = Entries.id(kind, key);
        if (_pending[id].effectiveAt == 0) {
            require(_pendingIds.length < MAX_PENDING, TooManyPending(MAX_PENDING));
            _pendingIds.push(id);
            ++_policy.pendingCount;
            _flag(kind, true);
        }
        _pending[id] = PendingSlot(kind, effectiveAt, key, value);
    }

    function _deletePending(bytes32 id) private {
        if (_pending[id].effectiveAt == 0) return;
        _flag(_pending[id].kind, false);
        delete _pending[id];
        --_policy.pendingCount;
        uint256 last = _pendingIds.length - 1;
        for (uint256 i = 0; i <= last; ++i) {
            if (_pendingIds[i] == id) {
                _pendingIds[i] = _pendingIds[last];
                _pendingIds.pop();
                return;
            }
        }
    }

    function _flag(SettingKind kind, bool waits) private {
        if (kind != SettingKind.Notice && kind != SettingKind.Grace) return;
        LiveSet.Live memory live = _loadLive();
        if (kind == SettingKind.Notice) live.noticeLowering = waits;
        else live.graceRaising = waits;
        _storeLive(live);
    }

    // ---------------------------------------------------------------- bounds

    function _requireValid(SettingKind kind, bytes32 key, uint256 value) internal view {
        Entries.requireKnown(kind, key, value);
        if (kind == SettingKind.Notice) {
            require(value <= MAX_NOTICE_SECONDS, NoticeTooLong(uint32(MAX_NOTICE_SECONDS), value));
            require(
                value >= _control.noticeFloorSeconds,
                NoticeBelowFloor(_control.noticeFloorSeconds, value)
            );
        } else if (kind == SettingKind.Grace) {
            require(value <= MAX_GRACE_SECONDS, GraceTooLong(uint32(MAX_GRACE_SECONDS), uint32(_cap(value))));
        }
    }

    function _cap(uint256 value) private pure returns (uint256) {
        return value < type(uint32).max ? value : type(uint32).max;
    }

    /// @dev Dropping proof systems, one after another, must never leave none: pending drops count as dropped.
    function _requireProofLeft(SettingKind kind, bytes32 key, uint256 value) private view {
        if (kind != SettingKind.ProofSystem || value == 1) return;
        uint256 left = _policy.requiredProofs & ~(1 << uint256(key));
        for (uint256 system = 1; system < 8; ++system) {
            PendingSlot memory pending = _pending[Entries.id(SettingKind.ProofSystem, bytes32(system))];
            if (pending.effectiveAt != 0 && pending.value == 0) left &= ~(1 << system);
        }
        require(left != 0, NoProofSystemLeft());
    }
}
