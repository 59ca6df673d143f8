// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IApp, LiveRelease} from "../interfaces/IApp.sol";
import {Level} from "../interfaces/Types.sol";
import {AppEntries} from "./AppEntries.sol";
import {LiveSet} from "./LiveSet.sol";

/// @title AppReleases: which code may run, and when
abstract contract AppReleases is AppEntries {
    using LiveSet for LiveSet.Live;

    /// @inheritdoc IApp
    function propose(
        bytes32 composeHash,
        bytes32 noteDigest,
        uint32 expectedPredecessor,
        uint32 graceSeconds
    ) external returns (uint32 number) {
        _requireOwner();
        _requireBelow(Level.RevokeOnly);
        require(composeHash != 0, ZeroComposeHash());
        LiveSet.Live memory live = _loadLive();
        // One at a time: a second pending release under a notice lowered meanwhile could overtake the first.
        require(!live.isPending(block.timestamp), ReleasePending(live.newest));
        uint24 current = live.head(block.timestamp);
        require(current == expectedPredecessor, UnexpectedPredecessor(expectedPredecessor, current));
        uint32 limit = _grace();
        require(graceSeconds <= limit, GraceTooLong(limit, graceSeconds));
        uint24 previous = _latest[composeHash].number;
        // Proposing what is live would give one hash two intervals, and revoking one would not stop it.
        require(!live.isLive(previous, block.timestamp), ReleaseStillLive(composeHash, previous));

        uint40 activatesAt = _now() + _notice();
        (uint24 added, uint24 cut) = live.add(activatesAt, uint24(graceSeconds), block.timestamp);
        _storeLive(live);
        _latest[composeHash] = ReleaseSlot(added, activatesAt);
        emit ReleaseProposed(
            added,
            composeHash,
            noteDigest,
            activatesAt,
            graceSeconds,
            current,
            live.predecessorEndsAt,
            cut,
            msg.sender
        );
        return added;
    }

    /// @inheritdoc IApp
    function veto(uint32 number) external {
        _requireOwnerOrGuardian();
        _requireBelow(Level.Frozen);
        LiveSet.Live memory live = _loadLive();
        require(number == live.newest && live.isPending(block.timestamp), ReleaseNotPending(number));
        uint24 restored = live.dropNewest(block.timestamp);
        _storeLive(live);
        emit ReleaseVetoed(number, restored, restored == 0 ? 0 : NEVER, msg.sender);
    }

    /// @inheritdoc IApp
    function revoke(uint32 number) external {
        _revoke(number);
    }

    /// @inheritdoc IApp
    function revokeByHash(bytes32 composeHash) external {
        _revoke(_latest[composeHash].number);
    }

    function _revoke(uint32 number) private {
        _requireOwnerOrGuardian();
        _requireBelow(Level.Frozen);
        LiveSet.Live memory live = _loadLive();
        require(live.isLive(number, block.timestamp), ReleaseNotLive(number));
        uint40 oldEndsAt;
        uint32 restored;
        uint40 restoredEndsAt;
        if (number == live.newest) {
            oldEndsAt = NEVER;
            restored = live.dropNewest(block.timestamp);
            restoredEndsAt = restored == 0 ? 0 : NEVER;
        } else if (number == live.predecessor) {
            oldEndsAt = live.predecessorEndsAt;
            (restored, restoredEndsAt) = live.dropPredecessor(block.timestamp);
        } else {
            oldEndsAt = live.olderEndsAt;
            live.dropOlder();
        }
        _storeLive(live);
        emit ReleaseRevoked(number, oldEndsAt, _now(), restored, restoredEndsAt, msg.sender);
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc IApp
    function liveReleases() external view returns (LiveRelease[] memory releases) {
        LiveSet.Live memory live = _loadLive();
        releases = new LiveRelease[](3);
        uint256 count;
        if (live.newest != 0) releases[count++] = LiveRelease(live.newest, live.newestActivatesAt, NEVER);
        if (live.predecessorAlive(block.timestamp)) {
            releases[count++] = LiveRelease(live.predecessor, 0, live.predecessorEndsAt);
        }
        if (live.olderAlive(block.timestamp))
            releases[count++] = LiveRelease(live.older, 0, live.olderEndsAt);
        assembly ("memory-safe") {
            mstore(releases, count)
        }
    }

    /// @inheritdoc IApp
    function lastRelease() external view returns (uint32) {
        return _loadLive().last;
    }

    /// @inheritdoc IApp
    function head() external view returns (uint32) {
        return _loadLive().head(block.timestamp);
    }

    /// @inheritdoc IApp
    function releaseOf(bytes32 composeHash) external view returns (LiveRelease memory release) {
        ReleaseSlot memory slot = _latest[composeHash];
        LiveSet.Live memory live = _loadLive();
        release = LiveRelease(slot.number, slot.activatesAt, 0);
        if (slot.number == 0) return release;
        if (slot.number == live.newest) release.endsAt = NEVER;
        else if (slot.number == live.predecessor) release.endsAt = live.predecessorEndsAt;
        else if (slot.number == live.older) release.endsAt = live.olderEndsAt;
    }

    /// @inheritdoc IApp
    function isReleaseAllowed(bytes32 composeHash) external view returns (bool) {
        return _isHashAllowed(composeHash);
    }

    /// @inheritdoc IApp
    function isReleaseNumberAllowed(uint32 number) external view returns (bool) {
        return _isNumberAllowed(number);
    }

    function _isHashAllowed(bytes32 composeHash) internal view returns (bool) {
        return _isNumberAllowed(_latest[composeHash].number);
    }

    function _isNumberAllowed(uint32 number) internal view returns (bool) {
        return _loadLive().isAllowed(number, block.timestamp);
    }
}
