// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IApp, LiveRelease} from "../interfaces/IApp.sol";
import {Level, SettingKind} from "../interfaces/Types.sol";
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
        return _propose(composeHash, noteDigest, expectedPredecessor, graceSeconds);
    }

    /// @inheritdoc IApp
    function reportRebuild(uint32 number, bytes32 builtHash) external {
        LiveSet.Live memory live = _loadLive();
        require(number == live.newest && live.isPending(block.timestamp), ReleaseNotPending(number));
        RebuildSlot memory rebuild = _rebuild;
        require(rebuild.number == number, NoRebuildsDemanded(number));
        RebuilderSlot memory rebuilder = _rebuilders[msg.sender];
        require(
            rebuilder.since != 0 && rebuilder.since <= rebuild.version && rebuild.version < rebuilder.until,
            NotARebuilder(msg.sender, rebuild.version)
        );
        require(!_reported[number][msg.sender], AlreadyReported(number, msg.sender));
        _reported[number][msg.sender] = true;
        bool matches = builtHash != 0 && _latest[builtHash].number == number;
        if (matches) {
            ++rebuild.matches;
            _rebuild = rebuild;
            if (rebuild.matches == rebuild.required) {
                live.needsRebuilds = false;
                _storeLive(live);
            }
        }
        emit RebuildReported(number, msg.sender, builtHash, matches, rebuild.matches);
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

    // ---------------------------------------------------------------- views

    /// @inheritdoc IApp
    function rebuilds(uint32 number) external view returns (uint8 required, uint8 matching) {
        RebuildSlot memory rebuild = _rebuild;
        if (rebuild.number == number) return (rebuild.required, rebuild.matches);
    }

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
    function evidenceTerms(bytes32 composeHash) external view returns (uint32 release, uint32 maxAgeBlocks) {
        return (_latest[composeHash].number, uint32(_effective(SettingKind.MaxEvidenceAge, 0)));
    }

    /// @inheritdoc IApp
    function isReleaseAllowed(bytes32 composeHash) external view returns (bool) {
        return _isHashAllowed(composeHash);
    }

    /// @inheritdoc IApp
    function isReleaseNumberAllowed(uint32 number) external view returns (bool) {
        return _isNumberAllowed(number);
    }
}
