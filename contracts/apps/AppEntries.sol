// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IApp, Setting} from "../interfaces/IApp.sol";
import {Level, SettingKind} from "../interfaces/Types.sol";
import {AppStorage} from "./AppStorage.sol";
import {Entries} from "./Entries.sol";

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
        uint40 effectiveAt = _now() + _notice();
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
        if (_state.pendingCount != 0) {
            PendingSlot memory pending = _pending[Entries.id(kind, key)];
            if (pending.effectiveAt != 0 && pending.effectiveAt <= block.timestamp) return pending.value;
        }
        return _stored(kind, key);
    }

    function _notice() internal view returns (uint32) {
        return uint32(_effective(SettingKind.Notice, 0));
    }

    function _grace() internal view returns (uint32) {
        return uint32(_effective(SettingKind.Grace, 0));
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
        if (Entries.isMany(kind)) return _values[Entries.id(kind, key)];
        if (kind == SettingKind.Notice) return _state.noticeSeconds;
        if (kind == SettingKind.Grace) return _state.graceSeconds;
        if (kind == SettingKind.TeeKind) return (_state.teeKinds >> uint256(key)) & 1;
        if (kind == SettingKind.TcbStatus) return (_state.tcbStatuses >> uint256(key)) & 1;
        if (kind == SettingKind.ProofSystem) return (_state.requiredProofs >> uint256(key)) & 1;
        if (kind == SettingKind.AnyNode) return _state.anyNode ? 1 : 0;
        if (kind == SettingKind.MaxEvidenceAge) return _state.maxEvidenceAge;
        if (kind == SettingKind.AcceptBootInfo) return _state.acceptBootInfo ? 1 : 0;
        revert UnknownSetting(kind, key, 0);
    }

    function _store(SettingKind kind, bytes32 key, uint256 value) internal {
        if (Entries.isMany(kind)) {
            _values[Entries.id(kind, key)] = value;
            return;
        }
        State memory state = _state;
        _change(state, kind, key, value);
        _state = state;
    }

    /// @dev Changes `state` in memory. Kinds of which an app has many entries do not lie there.
    function _change(State memory state, SettingKind kind, bytes32 key, uint256 value) internal pure {
        if (kind == SettingKind.Notice) state.noticeSeconds = uint32(value);
        else if (kind == SettingKind.Grace) state.graceSeconds = uint24(value);
        else if (kind == SettingKind.TeeKind) state.teeKinds = _withBit(state.teeKinds, key, value);
        else if (kind == SettingKind.TcbStatus) state.tcbStatuses = _withBit(state.tcbStatuses, key, value);
        else if (kind == SettingKind.ProofSystem) {
            state.requiredProofs = _withBit(state.requiredProofs, key, value);
        } else if (kind == SettingKind.AnyNode) state.anyNode = value == 1;
        else if (kind == SettingKind.MaxEvidenceAge) state.maxEvidenceAge = uint16(value);
        else if (kind == SettingKind.AcceptBootInfo) state.acceptBootInfo = value == 1;
        else revert UnknownSetting(kind, key, value);
    }

    function _withBit(uint8 bits, bytes32 key, uint256 value) private pure returns (uint8) {
        uint8 bit = uint8(1 << uint256(key));
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
            ++_state.pendingCount;
        }
        _pending[id] = PendingSlot(kind, effectiveAt, key, value);
    }

    function _deletePending(bytes32 id) private {
        if (_pending[id].effectiveAt == 0) return;
        delete _pending[id];
        --_state.pendingCount;
        uint256 last = _pendingIds.length - 1;
        for (uint256 i = 0; i <= last; ++i) {
            if (_pendingIds[i] == id) {
                _pendingIds[i] = _pendingIds[last];
                _pendingIds.pop();
                return;
            }
        }
    }

    // ---------------------------------------------------------------- bounds

    function _requireValid(SettingKind kind, bytes32 key, uint256 value) internal view {
        Entries.requireKnown(kind, key, value);
        if (kind == SettingKind.Notice) {
            require(value <= MAX_NOTICE_SECONDS, NoticeTooLong(uint32(MAX_NOTICE_SECONDS), value));
            require(value >= _state.noticeFloorSeconds, NoticeBelowFloor(_state.noticeFloorSeconds, value));
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
        uint256 left = _state.requiredProofs & ~(1 << uint256(key));
        for (uint256 system = 1; system < 8; ++system) {
            PendingSlot memory pending = _pending[Entries.id(SettingKind.ProofSystem, bytes32(system))];
            if (pending.effectiveAt != 0 && pending.value == 0) left &= ~(1 << system);
        }
        require(left != 0, NoProofSystemLeft());
    }
}
