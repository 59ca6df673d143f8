// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Control, IApp, OwnerCode, Selector} from "../interfaces/IApp.sol";
import {Level, SettingKind} from "../interfaces/Types.sol";
import {AppReleases} from "./AppReleases.sol";
import {LiveSet} from "./LiveSet.sol";
import {Ratchet} from "./Ratchet.sol";

/// @title AppControl: who can change this app, and how that is given up
abstract contract AppControl is AppReleases {
    using LiveSet for LiveSet.Live;

    // ---------------------------------------------------------------- guardian

    /// @inheritdoc IApp
    function setGuardian(address newGuardian) external {
        _requireOwner();
        _requireBelow(Level.RevokeOnly);
        address current = _currentGuardian();
        require(newGuardian != current, GuardianUnchanged(current));
        if (current == address(0)) {
            _storeGuardian(newGuardian);
            emit GuardianChanged(address(0), newGuardian, _now(), msg.sender);
            return;
        }
        // Replacing is taking a veto away from somebody: it loosens, so it waits, and Sealed forbids it.
        _requireBelow(Level.Sealed);
        uint40 effectiveAt = _now() + _notice();
        _storeGuardianChange(newGuardian, effectiveAt);
        emit GuardianChanged(current, newGuardian, effectiveAt, msg.sender);
    }

    /// @inheritdoc IApp
    function cancelGuardianChange() external {
        _requireOwner();
        _requireBelow(Level.Frozen);
        (address waiting, uint40 effectiveAt) = _guardianChange();
        require(effectiveAt != 0, NoGuardianChangePending());
        _deleteGuardianChange();
        emit GuardianChangeCancelled(_currentGuardian(), waiting, msg.sender);
    }

    // ---------------------------------------------------------------- ownership

    /// @inheritdoc IApp
    function transferOwnership(address newOwner) external {
        _requireOwner();
        _requireBelow(Level.RevokeOnly);
        _pendingOwner = newOwner;
        emit OwnershipTransferStarted(msg.sender, newOwner, msg.sender);
    }

    /// @inheritdoc IApp
    function acceptOwnership() external {
        require(msg.sender == _pendingOwner, NotPendingOwner(_pendingOwner, msg.sender));
        _requireBelow(Level.RevokeOnly);
        address oldOwner = _currentOwner();
        _storeOwner(msg.sender);
        delete _pendingOwner;
        emit OwnershipTransferred(oldOwner, msg.sender, msg.sender);
    }

    // ---------------------------------------------------------------- levels

    /// @inheritdoc IApp
    function raiseLevel(Level newLevel) external {
        _requireOwner();
        Level oldLevel = _state.level;
        Level raisedLevel = Ratchet.raised(oldLevel, newLevel);
        _settle();
        LiveSet.Live memory live = _loadLive();
        uint32 floor = _state.noticeFloorSeconds;
        if (oldLevel == Level.Open) {
            floor = _state.noticeSeconds;
            require(floor != 0, LevelBlocked(newLevel, "notice is zero"));
            (, uint40 loweredAt) = _pendingOf(SettingKind.Notice, 0);
            require(loweredAt == 0, LevelBlocked(newLevel, "a lowering of notice is pending"));
        }
        if (newLevel >= Level.Sealed) {
            require(_nextLoosening() == NEVER, LevelBlocked(newLevel, "a loosening is pending"));
            (, uint40 guardianAt) = _guardianChange();
            require(guardianAt == 0, LevelBlocked(newLevel, "a guardian change is pending"));
        }
        if (newLevel >= Level.RevokeOnly) {
            require(!live.isPending(block.timestamp), LevelBlocked(newLevel, "a release is pending"));
            require(_pendingOwner == address(0), LevelBlocked(newLevel, "an ownership transfer is pending"));
        }
        if (newLevel == Level.Frozen) {
            // Whatever else is alive could not be revoked any more.
            require(live.newest != 0, LevelBlocked(newLevel, "no release is active"));
            require(
                !live.predecessorAlive(block.timestamp) && !live.olderAlive(block.timestamp),
                LevelBlocked(newLevel, "a release is in grace")
            );
        }
        _state.level = raisedLevel;
        _state.noticeFloorSeconds = floor;
        emit LevelRaised(oldLevel, newLevel, floor, msg.sender);
    }

    // ---------------------------------------------------------------- desired state

    /// @inheritdoc IApp
    function setReplicas(uint16 replicas_, Selector calldata selector) external {
        _requireOwner();
        _requireBelow(Level.RevokeOnly);
        uint16 old = _state.replicas;
        _state.replicas = replicas_;
        _selectorDigest = keccak256(abi.encode(selector));
        emit ReplicasChanged(old, replicas_, selector, msg.sender);
    }

    /// @inheritdoc IApp
    function replicas() external view returns (uint16 replicas_, bytes32 selectorDigest) {
        return (_state.replicas, _selectorDigest);
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc IApp
    function registry() external view returns (address) {
        return _registryAddress();
    }

    /// @inheritdoc IApp
    function owner() external view returns (address) {
        return _currentOwner();
    }

    /// @inheritdoc IApp
    function control() external view returns (Control memory c) {
        LiveSet.Live memory live = _loadLive();
        c.owner = _currentOwner();
        c.ownerCode = _codeOf(c.owner);
        c.pendingOwner = _pendingOwner;
        c.guardian = _currentGuardian();
        (c.pendingGuardian, c.pendingGuardianAt) = _guardianChange();
        c.level = _state.level;
        c.noticeSeconds = _notice();
        c.noticeFloorSeconds = _state.noticeFloorSeconds;
        c.graceSeconds = _grace();
        c.earliestNewReleaseAt = _earliestNewRelease(live, c.level, c.noticeSeconds);
        c.nextChangeAt = _nextLoosening();
        if (c.pendingGuardianAt != 0 && c.pendingGuardianAt < c.nextChangeAt)
            c.nextChangeAt = c.pendingGuardianAt;
        if (live.isPending(block.timestamp) && live.newestActivatesAt < c.nextChangeAt) {
            c.nextChangeAt = live.newestActivatesAt;
        }
        if (live.predecessorAlive(block.timestamp) && live.predecessorEndsAt < c.nextChangeAt) {
            c.nextChangeAt = live.predecessorEndsAt;
        }
        if (live.olderAlive(block.timestamp) && live.olderEndsAt < c.nextChangeAt)
            c.nextChangeAt = live.olderEndsAt;
    }

    /// @dev The pending release, or one proposed now, or one proposed right after a pending lowering of notice.
    function _earliestNewRelease(
        LiveSet.Live memory live,
        Level level,
        uint32 notice
    ) private view returns (uint40 earliest) {
        if (level >= Level.RevokeOnly) return NEVER;
        earliest = _now() + notice;
        if (live.isPending(block.timestamp) && live.newestActivatesAt < earliest)
            earliest = live.newestActivatesAt;
        (uint256 lowered, uint40 loweredAt) = _pendingOf(SettingKind.Notice, 0);
        if (loweredAt > block.timestamp && loweredAt + lowered < earliest)
            earliest = uint40(loweredAt + lowered);
    }

    function _codeOf(address account) private view returns (OwnerCode) {
        if (account.code.length == 0) return OwnerCode.None;
        // EIP-7702: the code of a delegated account is 0xef0100 ‖ address.
        if (account.code.length == 23 && bytes3(account.code) == 0xef0100) return OwnerCode.Delegated;
        return OwnerCode.Contract;
    }
}
