// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {LiveSet} from "./LiveSet.sol";

/// @notice LiveSet beside the plain story that it packs into one slot: a list of releases, each with its interval and the
/// release that it would replace. Random histories must leave both with the same answers, for every release, at any time.
contract LiveSetTest {
    using LiveSet for LiveSet.Live;

    struct Release {
        uint40 activatesAt;
        uint40 endsAt;
        uint24 grace;
        uint24 follows; // number of the release that it would replace, 0 for none (any more)
        bool over; //      vetoed, revoked or lapsed
        bool needsRebuilds;
    }

    uint40 private constant NEVER = type(uint40).max;

    LiveSet.Live private _live;
    Release[] private _releases; // index = number - 1
    uint256 private _time = 1_000_000;

    function testFuzz_packThenUnpack_givesTheSame(LiveSet.Live memory live) external pure {
        LiveSet.Live memory back = LiveSet.unpack(live.pack());
        require(keccak256(abi.encode(back)) == keccak256(abi.encode(live)), "lost in packing");
    }

    /// @param steps one per operation: what to do, and with how much time before it.
    function testFuzz_history_answersAsTheListDoes(uint256[40] calldata steps) external {
        for (uint256 i = 0; i < steps.length; ++i) {
            _pass((steps[i] >> 8) % 50);
            uint256 choice = steps[i] % 9;
            uint256 value = steps[i] >> 16;
            if (choice < 3) _propose(value);
            else if (choice == 3) _drop(true);
            else if (choice == 4) _drop(false);
            else if (choice == 5) _revokePredecessor();
            else if (choice == 6) _revokeOlder();
            else if (choice == 7) _report();
            _compare();
        }
    }

    // ---------------------------------------------------------------- operations, on both

    function _pass(uint256 seconds_) private {
        _time += seconds_;
        LiveSet.Live memory live = _live;
        live.settle(_time);
        _live = live;
        _settleList();
    }

    function _propose(uint256 value) private {
        LiveSet.Live memory live = _live;
        if (live.isPending(_time)) return;
        uint40 activatesAt = uint40(_time + (value % 60));
        uint24 grace = uint24((value >> 8) % 80);
        bool rebuilds = (value >> 16) % 4 == 0 && activatesAt > _time;
        uint24 head = _headOfList();
        (uint24 number, uint24 cut) = live.add(activatesAt, grace, _time);
        live.needsRebuilds = rebuilds;
        _live = live;
        require(number == _releases.length + 1, "numbers have gaps");

        uint24 shouldBeCut = _cutFor(head);
        require(cut == shouldBeCut, "cut another release");
        if (cut != 0) _releases[cut - 1].endsAt = uint40(_time);
        if (head != 0) _releases[head - 1].endsAt = activatesAt + grace;
        _releases.push(Release(activatesAt, NEVER, grace, head, false, rebuilds));
    }

    /// @dev Veto (only pending) or revoke (pending or head) of the newest.
    function _drop(bool onlyPending) private {
        LiveSet.Live memory live = _live;
        if (live.newest == 0 || (onlyPending && !live.isPending(_time))) return;
        uint24 number = live.newest;
        uint24 restored = live.dropNewest(_time);
        _live = live;
        uint24 follows = _releases[number - 1].follows;
        _releases[number - 1].over = true;
        bool alive = follows != 0 && _isAlive(follows);
        require(restored == (alive ? follows : 0), "restored another release");
        if (alive) _releases[follows - 1].endsAt = NEVER;
    }

    function _revokePredecessor() private {
        LiveSet.Live memory live = _live;
        if (!live.predecessorAlive(_time)) return;
        uint24 number = live.predecessor;
        bool wasHead = live.isPending(_time);
        uint24 newest = live.newest;
        (uint24 restored, uint40 endsAt) = live.dropPredecessor(_time);
        _live = live;
        _releases[number - 1].over = true;
        uint24 follows = _releases[number - 1].follows;
        bool restores = wasHead && follows != 0 && _isAlive(follows);
        require(restored == (restores ? follows : 0), "restored another release");
        if (restores) {
            Release storage pending = _releases[newest - 1];
            require(endsAt == pending.activatesAt + pending.grace, "another end");
            _releases[follows - 1].endsAt = endsAt;
        }
        _releases[newest - 1].follows = restores ? follows : 0;
    }

    function _revokeOlder() private {
        LiveSet.Live memory live = _live;
        if (!live.olderAlive(_time)) return;
        _releases[live.older - 1].over = true;
        live.dropOlder();
        _live = live;
    }

    /// @dev The reports that the newest needs have come.
    function _report() private {
        if (!_live.needsRebuilds) return;
        _live.needsRebuilds = false;
        _releases[_live.newest - 1].needsRebuilds = false;
    }

    // ---------------------------------------------------------------- the list

    function _settleList() private {
        if (_releases.length == 0) return;
        Release storage last = _releases[_releases.length - 1];
        if (last.over || !last.needsRebuilds || last.activatesAt > _time) return;
        last.over = true;
        // It never ended what it followed, whatever grace it gave.
        if (last.follows != 0 && !_releases[last.follows - 1].over) {
            if (_releases[last.follows - 1].endsAt >= last.activatesAt)
                _releases[last.follows - 1].endsAt = NEVER;
        }
    }

    function _isAlive(uint24 number) private view returns (bool) {
        Release storage release = _releases[number - 1];
        return !release.over && release.endsAt > _time;
    }

    function _isAllowed(uint24 number) private view returns (bool) {
        return _isAlive(number) && _releases[number - 1].activatesAt <= _time;
    }

    /// @dev What a successor would follow: what a pending release follows, else the one without an end.
    function _headOfList() private view returns (uint24) {
        uint24 count = uint24(_releases.length);
        if (count == 0) return 0;
        Release storage last = _releases[count - 1];
        if (!last.over && last.activatesAt > _time) {
            return last.follows != 0 && _isAllowed(last.follows) ? last.follows : 0;
        }
        for (uint24 number = count; number != 0; --number) {
            if (_isAllowed(number) && _releases[number - 1].endsAt == NEVER) return number;
        }
        return 0;
    }

    /// @dev Beside a new release and the head there is room for one in grace: what the head follows, if that lives.
    function _cutFor(uint24 head) private view returns (uint24) {
        uint24 kept = head == 0 ? 0 : _releases[head - 1].follows;
        bool keptLives = kept != 0 && _isAlive(kept);
        for (uint24 number = 1; number <= _releases.length; ++number) {
            if (number != head && number != kept && _isAlive(number) && keptLives) return number;
        }
        return 0;
    }

    function _compare() private view {
        LiveSet.Live memory live = LiveSet.unpack(_live.pack());
        require(live.head(_time) == _headOfList(), "another head");
        for (uint24 number = 1; number <= _releases.length; ++number) {
            require(live.isAllowed(number, _time) == _isAllowed(number), "allowed differs");
            require(live.isLive(number, _time) == _isAlive(number), "live differs");
        }
        require(!live.isAllowed(0, _time) && !live.isAllowed(live.last + 1, _time), "allows what is not");
    }
}
