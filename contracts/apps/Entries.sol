// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IApp} from "../interfaces/IApp.sol";
import {ProofSystem, SettingKind, TcbStatus, TeeKind} from "../interfaces/Types.sol";

/// @title Entries: what each kind of setting accepts as key and value, and in which direction a change goes
/// @notice protocol/policy/settingKind.ts is its twin.
library Entries {
    /// @dev EIP-2935 keeps 8,191 block hashes: older evidence could not be checked on chain.
    uint256 internal constant MAX_EVIDENCE_AGE_BLOCKS = 8191;

    enum Direction {
        None, //      the value stays what it is
        Tightening,
        Loosening
    }

    function id(SettingKind kind, bytes32 key) internal pure returns (bytes32) {
        return keccak256(abi.encode(kind, key));
    }

    /// @notice Kinds of which an app may have any number of entries; of the others it has a few, known ones.
    function isMany(SettingKind kind) internal pure returns (bool) {
        return kind == SettingKind.OsImage || kind == SettingKind.Node;
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
        require(known, IApp.UnknownSetting(kind, key, value));
    }

    function direction(SettingKind kind, uint256 current, uint256 value) internal pure returns (Direction) {
        if (current == value) return Direction.None;
        if (kind == SettingKind.Notice || kind == SettingKind.ProofSystem) {
            return value > current ? Direction.Tightening : Direction.Loosening;
        }
        // Another digest for the same image lets other measurements in: only taking the image away tightens.
        if (kind == SettingKind.OsImage) return value == 0 ? Direction.Tightening : Direction.Loosening;
        return value < current ? Direction.Tightening : Direction.Loosening;
    }

    function _within(bytes32 key, uint256 last) private pure returns (bool) {
        return key != 0 && uint256(key) <= last;
    }
}
