// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";

import {IAppAuth} from "../compat/IAppAuth.sol";
import {AppSettings} from "../interfaces/IApp.sol";
import {Level, SettingKind} from "../interfaces/Types.sol";
import {AppPolicy} from "./AppPolicy.sol";
import {Entries} from "./Entries.sol";
import {LiveSet} from "./LiveSet.sol";

/// @title App: the logic that every clone of a registry runs
/// @dev The deployed logic itself has no immutable arguments behind it, so nobody is its registry and nothing can
/// initialize it.
contract App is AppPolicy, IERC165 {
    using LiveSet for LiveSet.Live;

    /// @notice Sets the whole first state. Called once, by the registry, in the transaction that makes the clone.
    function initialize(AppSettings calldata settings) external {
        address registry_ = _registryArgument();
        require(msg.sender == registry_, NotRegistry(registry_, msg.sender));
        LiveSet.Live memory live = _loadLive();
        require(!live.initialized, AlreadyInitialized());
        bytes32 digest = keccak256(abi.encode(settings));
        require(digest == _settingsDigestArgument(), SettingsMismatch(_settingsDigestArgument(), digest));
        require(
            settings.noticeSeconds <= MAX_NOTICE_SECONDS,
            NoticeTooLong(uint32(MAX_NOTICE_SECONDS), settings.noticeSeconds)
        );
        require(
            settings.graceSeconds <= MAX_GRACE_SECONDS,
            GraceTooLong(uint32(MAX_GRACE_SECONDS), settings.graceSeconds)
        );

        address owner_ = _ownerArgument();
        _control = ControlSlot(owner_, settings.noticeSeconds, 0, uint24(settings.graceSeconds), Level.Open);
        _initializePolicy(settings);
        live.initialized = true;
        if (settings.composeHash != 0) {
            live.add(_now(), 0, block.timestamp);
            _latest[settings.composeHash] = ReleaseSlot(1, _now());
        }
        _storeLive(live);
        emit AppInitialized(registry_, owner_, _guardianArgument(), settings);
    }

    /// @dev Entries of a new app are in force at once: nobody relies on it yet.
    function _initializePolicy(AppSettings calldata settings) private {
        PolicySlot memory policy;
        for (uint256 i = 0; i < settings.settings.length; ++i) {
            (SettingKind kind, bytes32 key, uint256 value) = (
                settings.settings[i].kind,
                settings.settings[i].key,
                settings.settings[i].value
            );
            Entries.requireKnown(kind, key, value);
            if (kind == SettingKind.OsImage) _osImages[key] = bytes32(value);
            else if (kind == SettingKind.Node) _nodes[key] = value == 1;
            else policy = _withPolicy(policy, kind, key, value);
        }
        require(policy.requiredProofs != 0, NoProofSystemLeft());
        _policy = policy;
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 interfaceId) external pure returns (bool) {
        return interfaceId == type(IERC165).interfaceId || interfaceId == type(IAppAuth).interfaceId;
    }
}
