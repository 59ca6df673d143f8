// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @title LiveSet: the releases of one app that may matter now, in one storage slot
/// @notice newest (pending or head), its predecessor, and one older release in grace. The newest never has an end:
/// what ends is no longer the newest. Pure functions over a value; App loads and stores it.
/// @dev Invariants, kept by every function here:
/// - predecessor is the newest's *immediate* predecessor, and was head when the newest was proposed (or became head
///   again since); it is active. Its end may move later only while it still lies in the future.
/// - `olderLinked` says that `older` is the predecessor's immediate predecessor: only then may it be restored.
///   Without this bit, an older release in grace could come back to head through a release that never followed it.
/// - An entry whose end has passed is dead for good: no function moves the end of a dead entry.
library LiveSet {
    uint40 internal constant NEVER = type(uint40).max;

    struct Live {
        uint24 last; //               number of the last release ever proposed
        uint24 newest; //             0: no newest
        uint40 newestActivatesAt; //  0 when it was restored and so is certainly active
        uint24 newestGrace; //        seconds that it gives its predecessor
        uint24 predecessor; //        0: none
        uint40 predecessorEndsAt;
        uint24 older; //              0: none
        uint40 olderEndsAt;
        bool olderLinked;
        bool initialized;
        bool needsRebuilds; //        the newest is pending and has not had its reports: at its time it lapses
    }

    function unpack(uint256 word) internal pure returns (Live memory live) {
        live.last = uint24(word);
        live.newest = uint24(word >> 24);
        live.newestActivatesAt = uint40(word >> 48);
        live.newestGrace = uint24(word >> 88);
        live.predecessor = uint24(word >> 112);
        live.predecessorEndsAt = uint40(word >> 136);
        live.older = uint24(word >> 176);
        live.olderEndsAt = uint40(word >> 200);
        live.olderLinked = word & (1 << 240) != 0;
        live.initialized = word & (1 << 241) != 0;
        live.needsRebuilds = word & (1 << 242) != 0;
    }

    function pack(Live memory live) internal pure returns (uint256 word) {
        word =
            uint256(live.last) |
            (uint256(live.newest) << 24) |
            (uint256(live.newestActivatesAt) << 48) |
            (uint256(live.newestGrace) << 88) |
            (uint256(live.predecessor) << 112) |
            (uint256(live.predecessorEndsAt) << 136) |
            (uint256(live.older) << 176) |
            (uint256(live.olderEndsAt) << 200);
        if (live.olderLinked) word |= 1 << 240;
        if (live.initialized) word |= 1 << 241;
        if (live.needsRebuilds) word |= 1 << 242;
    }

    function isPending(Live memory live, uint256 time) internal pure returns (bool) {
        return live.newest != 0 && live.newestActivatesAt > time;
    }

    function predecessorAlive(Live memory live, uint256 time) internal pure returns (bool) {
        return live.predecessor != 0 && live.predecessorEndsAt > time;
    }

    function olderAlive(Live memory live, uint256 time) internal pure returns (bool) {
        return live.older != 0 && live.olderEndsAt > time;
    }

    /// @notice The active release that a successor would follow, 0 if none.
    function head(Live memory live, uint256 time) internal pure returns (uint24) {
        if (!isPending(live, time)) return live.newest;
        return predecessorAlive(live, time) ? live.predecessor : 0;
    }

    /// @notice Pending, head or in grace: a release that can still run without a new proposal.
    function isLive(Live memory live, uint256 number, uint256 time) internal pure returns (bool) {
        if (number == 0) return false;
        return
            number == live.newest ||
            (number == live.predecessor && live.predecessorEndsAt > time) ||
            (number == live.older && live.olderEndsAt > time);
    }

    function isAllowed(Live memory live, uint256 number, uint256 time) internal pure returns (bool) {
        return isLive(live, number, time) && !(number == live.newest && live.newestActivatesAt > time);
    }

    /// @notice Adds a release as newest. The caller checked that none is pending.
    /// @return number of the new release; `cut` is the older release whose remaining grace ended by this, 0 if none.
    function add(
        Live memory live,
        uint40 activatesAt,
        uint24 graceSeconds,
        uint256 time
    ) internal pure returns (uint24 number, uint24 cut) {
        uint24 current = live.newest;
        number = live.last + 1;
        bool keepPredecessor = predecessorAlive(live, time);
        if (keepPredecessor) {
            if (olderAlive(live, time)) cut = live.older;
            live.older = live.predecessor;
            live.olderEndsAt = live.predecessorEndsAt;
            live.olderLinked = true;
        } else if (olderAlive(live, time)) {
            live.olderLinked = false;
        } else {
            _clearOlder(live);
        }
        live.last = number;
        live.newest = number;
        live.newestActivatesAt = activatesAt;
        live.newestGrace = graceSeconds;
        live.needsRebuilds = false;
        live.predecessor = current;
        live.predecessorEndsAt = current == 0 ? 0 : _min(uint256(activatesAt) + graceSeconds);
    }

    /// @notice Time alone ends a release that reached its activation without the reports that it needs: as if vetoed in
    /// the last second before, so that its predecessor, whatever its grace, is untouched.
    function settle(Live memory live, uint256 time) internal pure {
        if (live.needsRebuilds && live.newestActivatesAt <= time) {
            dropNewest(live, uint256(live.newestActivatesAt) - 1);
        }
    }

    /// @notice Takes the newest out, pending or active. Its immediate predecessor, while alive, is newest again and
    /// has no end; otherwise there is no newest.
    /// @return restored its number, 0 if none.
    function dropNewest(Live memory live, uint256 time) internal pure returns (uint24 restored) {
        restored = predecessorAlive(live, time) ? live.predecessor : 0;
        live.newest = restored;
        live.newestActivatesAt = 0;
        live.newestGrace = 0;
        live.needsRebuilds = false;
        _promoteOlder(live, restored != 0, time);
    }

    /// @notice Takes the (living) predecessor out. When a release is pending the predecessor is head: then its own
    /// immediate predecessor, while alive, is head again until the pending release's activation plus grace.
    function dropPredecessor(
        Live memory live,
        uint256 time
    ) internal pure returns (uint24 restored, uint40 endsAt) {
        bool wasHead = isPending(live, time);
        _promoteOlder(live, wasHead, time);
        if (wasHead && live.predecessor != 0) {
            restored = live.predecessor;
            endsAt = _min(uint256(live.newestActivatesAt) + live.newestGrace);
            live.predecessorEndsAt = endsAt;
        }
    }

    function dropOlder(Live memory live) internal pure {
        _clearOlder(live);
    }

    /// @dev The place of predecessor is free: the older release takes it only when it is linked, alive and asked for.
    function _promoteOlder(Live memory live, bool asked, uint256 time) private pure {
        if (asked && live.olderLinked && olderAlive(live, time)) {
            live.predecessor = live.older;
            live.predecessorEndsAt = live.olderEndsAt;
            _clearOlder(live);
        } else {
            live.predecessor = 0;
            live.predecessorEndsAt = 0;
            live.olderLinked = false;
            if (!olderAlive(live, time)) _clearOlder(live);
        }
    }

    function _clearOlder(Live memory live) private pure {
        live.older = 0;
        live.olderEndsAt = 0;
        live.olderLinked = false;
    }

    function _min(uint256 time) private pure returns (uint40) {
        return time < NEVER ? uint40(time) : NEVER;
    }
}
