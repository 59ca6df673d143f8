// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IAppEvents} from "../interfaces/IApp.sol";
import {ProofSystem, SettingKind, TcbStatus, TeeKind} from "../interfaces/Types.sol";

/// @title Entries: what each kind of setting accepts as key and value, and in which direction a change goes
/// @notice protocol/policy/settingKind.ts is its twin.
library Entries {
    /// @dev EIP-2935 keeps 8,191 block hashes: older evidence could not be checked on chain.
    uint256 internal constant MAX_EVIDENCE_AGE_BLOCKS = 8191;
    uint256 internal constant MAX_REVIEW_SECONDS = 30 days;
    uint256 internal constant MAX_REBUILDERS = 32;

    enum Direction {
        None, //      the value stays what it is
        Tightening,
        Loosening
    }

    function id(SettingKind kind, bytes32 key) internal pure returns (bytes32) {
        return keccak256(abi.encode(kind, key));
    }

    /// @notice Kinds that lie in the map of values: those of which an app may have any number of entries, and rare ones.
    function isMany(SettingKind kind) internal pure returns (bool) {
        return
            kind == SettingKind.OsImage ||
            kind == SettingKind.Node ||
            (kind >= SettingKind.TcbStatusUntil &&
                kind <= SettingKind.ReviewSeconds &&
                kind != SettingKind.GpuRequired);
    }

    /// @notice Reverts UnknownSetting unless the kind knows this key and value.
    function requireKnown(SettingKind kind, bytes32 key, uint256 value) internal pure {
        bool known;
        if (kind == SettingKind.Notice || kind == SettingKind.Grace) known = key == 0;
        else if (kind == SettingKind.MaxEvidenceAge) known = key == 0 && value <= MAX_EVIDENCE_AGE_BLOCKS;
        else if (kind == SettingKind.AnyNode || kind == SettingKind.AcceptBootInfo)
            known = key == 0 && value <= 1;
        else if (kind == SettingKind.TeeKind)
            known = _within(key, uint256(type(TeeKind).max)) && value <= 1;
            // A revoked TCB is never acceptable, so it cannot be named.
        else if (kind == SettingKind.TcbStatus)
            known = _within(key, uint256(TcbStatus.Revoked) - 1) && value <= 1;
        else if (kind == SettingKind.ProofSystem)
            known = _within(key, uint256(type(ProofSystem).max)) && value <= 1;
        else if (kind == SettingKind.Node) known = key != 0 && value <= 1;
        else if (kind == SettingKind.OsImage) known = key != 0;
        else if (kind == SettingKind.TcbStatusUntil)
            known = _within(key, uint256(TcbStatus.Revoked) - 1) && value <= type(uint40).max;
        else if (kind == SettingKind.Advisory) known = key != 0 && value <= type(uint40).max;
        else if (kind == SettingKind.GpuRequired) known = key == 0 && value <= 1;
        else if (kind == SettingKind.Endorsement) known = key == 0;
        else if (kind == SettingKind.ReviewSeconds) known = key == 0 && value <= MAX_REVIEW_SECONDS;
        else if (kind == SettingKind.RebuildsRequired) known = key == 0 && value <= MAX_REBUILDERS;
        else if (kind == SettingKind.Rebuilder) known = _within(key, type(uint160).max) && value <= 1;
        require(known, IAppEvents.UnknownSetting(kind, key, value));
    }

    function direction(SettingKind kind, uint256 current, uint256 value) internal pure returns (Direction) {
        if (current == value) return Direction.None;
        if (
            kind == SettingKind.Notice ||
            kind == SettingKind.ProofSystem ||
            kind == SettingKind.GpuRequired ||
            kind == SettingKind.RebuildsRequired
        ) {
            return value > current ? Direction.Tightening : Direction.Loosening;
        }
        // Another digest for the same image lets other measurements in, another expression other nodes: only taking them
        // away tightens.
        if (kind == SettingKind.OsImage || kind == SettingKind.Endorsement)
            return value == 0 ? Direction.Tightening : Direction.Loosening;
        return value < current ? Direction.Tightening : Direction.Loosening;
    }

    function _within(bytes32 key, uint256 last) private pure returns (bool) {
        return key != 0 && uint256(key) <= last;
    }
}
