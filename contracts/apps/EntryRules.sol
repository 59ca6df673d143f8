// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {SettingKind} from "../interfaces/Types.sol";
import {AppStorage} from "./AppStorage.sol";
import {Entries} from "./Entries.sol";

/// @title EntryRules: how an entry of an app's settings changes, and what it is worth now
/// @notice A tightening is in force at once and deletes the entry's pending loosening; a loosening waits the notice.
/// @dev A matured loosening counts without a transaction: readers look it up, and the next change settles it into the
/// stored value. So it can never come back over a later tightening.
abstract contract EntryRules is AppStorage {
    // ---------------------------------------------------------------- changes

    /// @dev The caller has settled.
    function _tighten(SettingKind kind, bytes32 key, uint256 value) internal {
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

    /// @dev The caller has settled.
    function _loosen(SettingKind kind, bytes32 key, uint256 value, uint40 effectiveAt) internal {
        _requireValid(kind, key, value);
        uint256 current = _stored(kind, key);
        require(
            Entries.direction(kind, current, value) == Entries.Direction.Loosening,
            NotALoosening(kind, key, current, value)
        );
        _requireProofLeft(kind, key, value);
        if (kind == SettingKind.Rebuilder) {
            require(_state.rebuilders < Entries.MAX_REBUILDERS, TooManyRebuilders(Entries.MAX_REBUILDERS));
        }
        _addPending(kind, key, value, effectiveAt);
        emit SettingChanged(kind, key, current, value, effectiveAt, msg.sender);
    }

    // ---------------------------------------------------------------- values in force

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
        if (kind == SettingKind.GpuRequired) return _state.gpuRequired ? 1 : 0;
        if (kind == SettingKind.RebuildsRequired) return _state.rebuildsRequired;
        if (kind == SettingKind.Rebuilder) return _isRebuilder(_rebuilders[_accountOf(key)]) ? 1 : 0;
        revert UnknownSetting(kind, key, 0);
    }

    function _store(SettingKind kind, bytes32 key, uint256 value) internal {
        if (Entries.isMany(kind)) {
            _values[Entries.id(kind, key)] = value;
            return;
        }
        State memory state = _state;
        if (kind == SettingKind.Rebuilder) _changeRebuilder(state, _accountOf(key), value == 1);
        else _change(state, kind, key, value);
        _state = state;
    }

    /// @dev Never reverts: it also runs when a matured loosening is settled, on the way of every other change.
    /// Every change of the set is a new version of it; a rebuilder counts for releases proposed from the version that
    /// brought it to the one that took it away.
    function _changeRebuilder(State memory state, address account, bool added) internal {
        uint16 version = ++state.rebuildersVersion;
        if (added) {
            ++state.rebuilders;
            _rebuilders[account] = RebuilderSlot(version, type(uint16).max);
        } else {
            --state.rebuilders;
            _rebuilders[account].until = version;
        }
    }

    function _isRebuilder(RebuilderSlot memory slot) internal pure returns (bool) {
        return slot.until == type(uint16).max;
    }

    function _accountOf(bytes32 key) private pure returns (address) {
        return address(uint160(uint256(key)));
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
        else if (kind == SettingKind.GpuRequired) state.gpuRequired = value == 1;
        else if (kind == SettingKind.RebuildsRequired) state.rebuildsRequired = uint8(value);
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

    function _deletePending(bytes32 id) internal {
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
