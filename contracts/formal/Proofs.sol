// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {LiveSet} from "../apps/LiveSet.sol";
import {Ratchet} from "../apps/Ratchet.sol";
import {Level} from "../interfaces/Types.sol";

/// @title The level ratchet, over every sequence of calls by anybody (`npm run formal`; docs/formal.md)
/// @notice Never deployed. `observe` may be called at any time in between: what it asserts is an invariant.
contract RatchetProofs {
    Level private _level;
    Level private _seen;

    function raiseLevel(Level newLevel) external {
        _level = Ratchet.raised(_level, newLevel);
    }

    function observe() external {
        assert(_level >= _seen);
        _seen = _level;
    }

    function raise_always_goesUp(Level oldLevel, Level newLevel) external pure {
        assert(Ratchet.raised(oldLevel, newLevel) > oldLevel);
    }
}

/// @title What a live set says at any time, for every set: the notice rule, and that time alone revives nothing
/// @notice Never deployed. Each function takes any set and any times: its `require`s are what is assumed, its `assert`
/// is what is proved. The set is only read here: see docs/formal.md for why nothing that changes one may stand here.
contract LiveSetProofs {
    using LiveSet for LiveSet.Live;

    function newest_beforeItsActivation_isNotAllowed(LiveSet.Live memory live, uint40 time) external pure {
        require(live.newest != live.predecessor && live.newest != live.older);
        require(time < live.newestActivatesAt);
        assert(!live.isAllowed(live.newest, time));
    }

    function allowed_always_isLive(LiveSet.Live memory live, uint24 number, uint40 time) external pure {
        require(live.isAllowed(number, time));
        assert(live.isLive(number, time));
    }

    function ended_byTimeAlone_staysEnded(
        LiveSet.Live memory live,
        uint24 number,
        uint40 time,
        uint40 later
    ) external pure {
        require(!live.isLive(number, time) && later >= time);
        assert(!live.isLive(number, later));
    }

    function atMostThree_areAllowed(LiveSet.Live memory live, uint24 number, uint40 time) external pure {
        require(number != live.newest && number != live.predecessor && number != live.older);
        assert(!live.isAllowed(number, time));
    }

    function head_always_isAllowed(LiveSet.Live memory live, uint40 time) external pure {
        require(live.newest != live.predecessor);
        uint24 head = live.head(time);
        assert(head == 0 || live.isAllowed(head, time));
    }
}

/// @title Statements that are false: a checker that proves one of them proves nothing
contract FalseStatements {
    using LiveSet for LiveSet.Live;

    Level private _level;
    Level private _seen;

    function setLevel(Level newLevel) external {
        _level = newLevel;
    }

    function observe() external {
        assert(_level >= _seen);
        _seen = _level;
    }

    function newest_atItsActivation_isNotAllowed(LiveSet.Live memory live) external pure {
        require(live.newest != 0);
        assert(!live.isAllowed(live.newest, live.newestActivatesAt));
    }
}
