// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Level} from "../interfaces/Types.sol";
import {EntryRules} from "./EntryRules.sol";
import {LiveSet} from "./LiveSet.sol";

/// @title ReleaseRules: how a release comes and goes
abstract contract ReleaseRules is EntryRules {
    using LiveSet for LiveSet.Live;

    /// @return number of the new release.
    function _propose(
        bytes32 composeHash,
        bytes32 noteDigest,
        uint32 expectedPredecessor,
        uint32 graceSeconds
    ) internal returns (uint32 number) {
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

        if (_state.pendingCount != 0) _settle();
        uint32 notice = _notice();
        uint40 activatesAt = _now() + notice;
        (uint24 added, uint24 cut) = live.add(activatesAt, uint24(graceSeconds), block.timestamp);
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
        live.needsRebuilds = _demandRebuilds(added, notice);
        _storeLive(live);
        return added;
    }

    /// @dev Copies what the release needs, so that changes of the set after its proposal do not touch it.
    function _demandRebuilds(uint24 number, uint32 notice) private returns (bool) {
        State memory state = _state;
        if (state.rebuildsRequired == 0) return false;
        require(
            state.rebuilders >= state.rebuildsRequired,
            TooFewRebuilders(state.rebuildsRequired, state.rebuilders)
        );
        // Reports are only possible before activation.
        require(notice != 0, NoTimeToRebuild());
        _rebuild = RebuildSlot(number, state.rebuildsRequired, 0, state.rebuildersVersion);
        emit RebuildsDemanded(number, state.rebuildsRequired, state.rebuilders, state.rebuildersVersion);
        return true;
    }

    function _revoke(uint32 number) internal {
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

    function _isHashAllowed(bytes32 composeHash) internal view returns (bool) {
        return _isNumberAllowed(_latest[composeHash].number);
    }

    function _isNumberAllowed(uint32 number) internal view returns (bool) {
        return _loadLive().isAllowed(number, block.timestamp);
    }
}
