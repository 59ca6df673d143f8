// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";

import {IAppAuth} from "../compat/IAppAuth.sol";
import {AppSettings} from "../interfaces/IApp.sol";
import {SettingKind} from "../interfaces/Types.sol";
import {AppPolicy} from "./AppPolicy.sol";
import {Entries} from "./Entries.sol";
import {LiveSet} from "./LiveSet.sol";

/// @title App: the logic that every clone of a registry runs
/// @dev Its registry deploys it and makes every clone of it; only that registry initializes, and it has bound the settings
/// in the clone's address. The logic's own storage is never initialized and governs nothing.
contract App is AppPolicy, IERC165 {
    using LiveSet for LiveSet.Live;

    /// @notice Sets the whole first state. Called once, by the registry, in the transaction that makes the clone.
    function initialize(AppSettings calldata settings) external {
        address registry_ = _registryAddress();
        require(msg.sender == registry_, NotRegistry(registry_, msg.sender));
        LiveSet.Live memory live = _loadLive();
        require(!live.initialized, AlreadyInitialized());
        require(
            settings.noticeSeconds <= MAX_NOTICE_SECONDS,
            NoticeTooLong(uint32(MAX_NOTICE_SECONDS), settings.noticeSeconds)
        );
        require(
            settings.graceSeconds <= MAX_GRACE_SECONDS,
            GraceTooLong(uint32(MAX_GRACE_SECONDS), settings.graceSeconds)
        );

        _initializeState(settings);
        live.initialized = true;
        if (settings.composeHash != 0) {
            live.add(_now(), 0, block.timestamp);
            _latest[settings.composeHash] = ReleaseSlot(1, _now());
        }
        _storeLive(live);
        emit AppInitialized(registry_, _firstOwner(), _firstGuardian(), settings);
    }

    /// @dev Entries of a new app are in force at once: nobody relies on it yet.
    function _initializeState(AppSettings calldata settings) private {
        State memory state;
        state.noticeSeconds = settings.noticeSeconds;
        state.graceSeconds = uint24(settings.graceSeconds);
        for (uint256 i = 0; i < settings.settings.length; ++i) {
            (SettingKind kind, bytes32 key, uint256 value) = (
                settings.settings[i].kind,
                settings.settings[i].key,
                settings.settings[i].value
            );
            Entries.requireKnown(kind, key, value);
            if (Entries.isMany(kind)) _values[Entries.id(kind, key)] = value;
            else _change(state, kind, key, value);
        }
        require(state.requiredProofs != 0, NoProofSystemLeft());
        _state = state;
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 interfaceId) external pure returns (bool) {
        return interfaceId == type(IERC165).interfaceId || interfaceId == type(IAppAuth).interfaceId;
    }
}
