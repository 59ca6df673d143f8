// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {AppSettings, Control, IApp, LiveRelease, Selector, Setting} from "../interfaces/IApp.sol";
import {Level, SettingKind} from "../interfaces/Types.sol";
import {AdvisorySets} from "../attestation/AdvisorySets.sol";
import {VM} from "../lib/testing/Vm.sol";
import {Endorsements} from "../nodes/Endorsements.sol";
import {AppRegistry} from "./AppRegistry.sol";
import {Entries} from "./Entries.sol";

/// @notice Acts on one real app as its owner, its guardian, its rebuilders and a stranger, at random and with time
/// jumps, and keeps what was promised and seen. `AppInvariants` asks it what was broken.
contract AppHandler {
    struct Entry {
        SettingKind kind;
        bytes32 key;
        uint256 value; //       as a plain reference keeps it
        uint256 pendingValue;
        uint256 effectiveAt; // 0: nothing waits
    }

    uint256 internal constant HASHES = 6;
    uint40 internal constant NEVER = type(uint40).max;

    IApp public immutable app;
    address public owner = address(0x0e11);
    address public immutable guardian = address(0x6a7d);
    address public immutable rebuilder = address(0x4eb1);
    address public immutable stranger = address(0x57a6);

    Entry[] private _entries;
    uint256 private _time = 2_000_000_000;

    /// @notice What went wrong, the first time that it did.
    string public broken;

    // What was seen and said.
    mapping(uint256 number => bool seen) private _wasAllowed;
    mapping(uint256 number => bool over) private _isOver;
    uint256 private _earliestSaid; // the latest `earliestNewReleaseAt` that control() ever said
    uint8 private _level;
    bytes32 private _frozenState;
    /// @notice Operations that took effect: a run in which nothing happens shows nothing.
    uint256 public applied;

    constructor() {
        VM.warp(_time);
        AppRegistry registry = new AppRegistry(new AdvisorySets(), new Endorsements());
        Setting[] memory settings = new Setting[](5);
        settings[0] = Setting(SettingKind.TeeKind, bytes32(uint256(1)), 1);
        settings[1] = Setting(SettingKind.TcbStatus, bytes32(uint256(1)), 1);
        settings[2] = Setting(SettingKind.ProofSystem, bytes32(uint256(2)), 1);
        settings[3] = Setting(SettingKind.MaxEvidenceAge, 0, 100);
        settings[4] = Setting(SettingKind.Rebuilder, bytes32(uint256(uint160(rebuilder))), 1);
        AppSettings memory all = AppSettings(50, 40, _hash(0), 0, settings);
        app = IApp(registry.createApp(owner, guardian, all, 0));
        _track(SettingKind.Notice, 0, 50);
        _track(SettingKind.Grace, 0, 40);
        _track(SettingKind.TeeKind, bytes32(uint256(1)), 1);
        _track(SettingKind.TcbStatus, bytes32(uint256(1)), 1);
        _track(SettingKind.TcbStatus, bytes32(uint256(5)), 0);
        _track(SettingKind.ProofSystem, bytes32(uint256(1)), 0);
        _track(SettingKind.ProofSystem, bytes32(uint256(2)), 1);
        _track(SettingKind.OsImage, bytes32(uint256(7)), 0);
        _track(SettingKind.AnyNode, 0, 0);
        _track(SettingKind.GpuRequired, 0, 0);
        _track(SettingKind.Endorsement, 0, 0);
        _track(SettingKind.TcbStatusUntil, bytes32(uint256(5)), 0);
        _track(SettingKind.RebuildsRequired, 0, 0);
        _track(SettingKind.Rebuilder, bytes32(uint256(uint160(rebuilder))), 1);
        _observe();
    }

    // ---------------------------------------------------------------- what the fuzzer may do

    function pass(uint16 seconds_) external {
        _begin(seconds_ % 90);
        _observe();
    }

    function propose(uint256 which, uint32 grace, bool asGuardian) external {
        _begin(which % 7);
        uint256 notice = app.control().noticeSeconds;
        uint32 head = app.head();
        VM.prank(asGuardian ? guardian : owner);
        try app.propose(_hash(which), bytes32(which), head, grace % 50) returns (uint32 number) {
            ++applied;
            _fail(asGuardian && owner != guardian, "the guardian added code");
            _fail(number != app.lastRelease(), "another number");
            _fail(notice != 0 && app.isReleaseNumberAllowed(number), "allowed before its notice");
        } catch {}
        _observe();
    }

    function veto(bool asGuardian) external {
        _begin(0);
        uint32 last = app.lastRelease();
        VM.prank(asGuardian ? guardian : owner);
        try app.veto(last) {
            ++applied;
            _fail(_wasAllowed[last], "vetoed what had been allowed");
            _isOver[last] = true;
        } catch {}
        _observe();
    }

    function revoke(uint256 back, uint8 who) external {
        _begin(back % 5);
        uint32 last = app.lastRelease();
        uint32 number = uint32(last - (back % (uint256(last) + 1)));
        VM.prank(
            who % 3 == 0
                ? owner
                : who % 3 == 1
                    ? guardian
                    : stranger
        );
        try app.revoke(number) {
            ++applied;
            _fail(who % 3 == 2, "a stranger revoked");
            _fail(app.isReleaseNumberAllowed(number), "allowed after its revocation");
            _isOver[number] = true;
        } catch {}
        _observe();
    }

    function report(bool honest) external {
        _begin(1);
        uint32 last = app.lastRelease();
        LiveRelease[] memory live = app.liveReleases();
        bytes32 built = _hash(7);
        for (uint256 i = 0; honest && live.length != 0 && i < HASHES; ++i) {
            if (app.releaseOf(_hash(i)).number == last) built = _hash(i);
        }
        VM.prank(rebuilder);
        try app.reportRebuild(last, built) {
            ++applied;
        } catch {}
        _observe();
    }

    function tighten(uint256 which, uint256 value) external {
        _begin(which % 11);
        Entry storage entry = _entries[which % _entries.length];
        Setting[] memory changes = new Setting[](1);
        changes[0] = Setting(entry.kind, entry.key, _valueFor(entry.kind, value));
        VM.prank(owner);
        bool tightens =
            Entries.direction(entry.kind, _effective(entry), changes[0].value) ==
                Entries.Direction.Tightening;
        try app.tighten(changes) {
            ++applied;
            _fail(!tightens, "tightened by loosening");
            entry.value = changes[0].value;
            entry.effectiveAt = 0;
        } catch {
            _fail(tightens && _level < uint8(Level.Frozen), "a tightening was refused");
        }
        _observe();
    }

    function loosen(uint256 which, uint256 value, bool asGuardian) external {
        _begin(which % 11);
        Entry storage entry = _entries[which % _entries.length];
        Setting[] memory changes = new Setting[](1);
        changes[0] = Setting(entry.kind, entry.key, _valueFor(entry.kind, value));
        uint256 notice = app.control().noticeSeconds;
        VM.prank(asGuardian ? guardian : owner);
        try app.loosen(changes) {
            ++applied;
            _fail(asGuardian && owner != guardian, "the guardian loosened");
            entry.value = _effective(entry);
            entry.pendingValue = changes[0].value;
            entry.effectiveAt = _time + notice;
        } catch {}
        _observe();
    }

    function cancel(uint256 which, bool asGuardian) external {
        _begin(0);
        Entry storage entry = _entries[which % _entries.length];
        VM.prank(asGuardian ? guardian : owner);
        try app.cancelLoosening(entry.kind, entry.key) {
            ++applied;
            _fail(entry.effectiveAt <= _time, "cancelled what was in force");
            entry.effectiveAt = 0;
        } catch {}
        _observe();
    }

    function setGuardian(bool remove) external {
        _begin(1);
        VM.prank(owner);
        try app.setGuardian(remove ? address(0) : guardian) {
            ++applied;
        } catch {}
        _observe();
    }

    function setReplicas(uint16 replicas) external {
        _begin(0);
        VM.prank(owner);
        try app.setReplicas(replicas, Selector(0, false, new address[](0))) {
            ++applied;
        } catch {}
        _observe();
    }

    /// @dev Rare, or every history would end frozen.
    function raiseLevel(uint256 value) external {
        _begin(0);
        if (value % 16 != 0) return;
        VM.prank(owner);
        try app.raiseLevel(Level((value >> 8) % 5)) {
            ++applied;
        } catch {}
        _observe();
    }

    function freeze(uint256 value) external {
        _begin(0);
        if (value % 10 != 0) return;
        VM.prank(owner);
        try app.raiseLevel(Level.Frozen) {
            ++applied;
        } catch {}
        _observe();
    }

    // ---------------------------------------------------------------- what must hold

    function _begin(uint256 seconds_) private {
        _time += seconds_;
        VM.warp(_time);
        _observe();
    }

    /// @dev Everything that an onlooker can see now, beside what was said and what the reference says.
    function _observe() private {
        Control memory control = app.control();
        _observeReleases();
        _observeEntries(control.nextChangeAt);
        _fail(uint8(control.level) < _level, "the level fell");
        _level = uint8(control.level);
        _fail(
            control.level >= Level.Noticed && control.noticeSeconds < control.noticeFloorSeconds,
            "notice is below its floor"
        );
        if (control.earliestNewReleaseAt > _earliestSaid) _earliestSaid = control.earliestNewReleaseAt;
        if (control.level == Level.Frozen) {
            control.earliestNewReleaseAt = 0;
            bytes32 state = keccak256(abi.encode(control, app.liveReleases()));
            _fail(_frozenState != 0 && state != _frozenState, "a frozen app changed");
            _frozenState = state;
        }
    }

    function _observeReleases() private {
        uint32 last = app.lastRelease();
        uint256 allowed;
        for (uint32 number = 1; number <= last; ++number) {
            if (app.isReleaseNumberAllowed(number)) {
                ++allowed;
                _fail(_isOver[number], "what had ended is allowed again");
                // Release 1 came with the app, before anything was said.
                if (!_wasAllowed[number] && number != 1)
                    _fail(_time < _earliestSaid, "new code before control() said");
                _wasAllowed[number] = true;
            } else if (_wasAllowed[number]) {
                _isOver[number] = true;
            }
        }
        _fail(allowed > 3, "more releases than the live set holds");
        _fail(app.liveReleases().length > 3, "the live set is too long");
        uint32 head = app.head();
        _fail(head != 0 && !app.isReleaseNumberAllowed(head), "the head is not allowed");
    }

    function _observeEntries(uint40 nextChangeAt) private {
        uint256 required;
        for (uint256 i = 0; i < _entries.length; ++i) {
            Entry storage entry = _entries[i];
            (uint256 value, uint256 pendingValue, uint40 effectiveAt) = app.setting(entry.kind, entry.key);
            _fail(value != _effective(entry), "an entry is not what its history makes it");
            bool waits = entry.effectiveAt > _time;
            _fail(waits != (effectiveAt != 0), "a waiting loosening was lost or made up");
            _fail(
                waits && (pendingValue != entry.pendingValue || effectiveAt != entry.effectiveAt),
                "it waits for another"
            );
            _fail(waits && effectiveAt < nextChangeAt, "control() does not say the next change");
            if (entry.kind == SettingKind.ProofSystem) required += value;
        }
        _fail(required == 0, "no proof system is required");
    }

    function _effective(Entry storage entry) private view returns (uint256) {
        bool matured = entry.effectiveAt != 0 && entry.effectiveAt <= _time;
        return matured ? entry.pendingValue : entry.value;
    }

    function _valueFor(SettingKind kind, uint256 value) private pure returns (uint256) {
        if (kind == SettingKind.Notice) return value % 100;
        if (kind == SettingKind.Grace) return value % 60;
        if (kind == SettingKind.OsImage || kind == SettingKind.Endorsement) return value % 3;
        if (kind == SettingKind.TcbStatusUntil) return value % 2 == 0 ? 0 : 2_000_000_000 + (value % 5000);
        return value % 2;
    }

    function _track(SettingKind kind, bytes32 key, uint256 value) private {
        _entries.push(Entry(kind, key, value, 0, 0));
    }

    function _hash(uint256 which) private pure returns (bytes32) {
        return bytes32(uint256(0xc0de00) + (which % HASHES));
    }

    function _fail(bool bad, string memory what) private {
        if (bad && bytes(broken).length == 0) broken = what;
    }
}
