// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";

import {AppAuth} from "../compat/AppAuth.sol";
import {IAppAuth} from "../compat/IAppAuth.sol";
import {IAppAuthBasicManagement} from "../compat/IAppAuthBasicManagement.sol";
import {IAdvisorySets} from "../interfaces/IAdvisorySets.sol";
import {AppSettings, IApp} from "../interfaces/IApp.sol";
import {IEndorsements} from "../interfaces/IEndorsements.sol";
import {Facts, Reason, SettingKind, TcbStatus} from "../interfaces/Types.sol";
import {DevelopmentChain} from "../lib/DevelopmentChain.sol";
import {AppControl} from "./AppControl.sol";
import {AppStorage} from "./AppStorage.sol";
import {Entries} from "./Entries.sol";
import {LiveSet} from "./LiveSet.sol";

/// @title App: the logic that every clone of a registry runs
/// @notice protocol/policy/judge.ts is the twin of `judge`; a differential test runs both.
/// @dev Its registry deploys it and makes every clone of it; only that registry initializes, and it has bound the settings
/// in the clone's address. The logic's own storage is never initialized and governs nothing.
contract App is AppControl, IERC165 {
    using LiveSet for LiveSet.Live;

    address private immutable _appAuth;

    constructor(
        IAdvisorySets advisorySets,
        IEndorsements endorsements
    ) AppStorage(advisorySets, endorsements) {
        _appAuth = address(new AppAuth(advisorySets, endorsements));
    }

    /// @dev What App does not know is dstack's: the same rules and storage, in code of its own because one contract cannot
    /// hold both (EIP-170). Its address is part of this code, so it can no more change than this code can.
    fallback() external {
        address target = _appAuth;
        assembly ("memory-safe") {
            let input := mload(0x40)
            calldatacopy(input, 0, calldatasize())
            let ok := delegatecall(gas(), target, input, calldatasize(), 0, 0)
            returndatacopy(input, 0, returndatasize())
            switch ok
            case 0 {
                revert(input, returndatasize())
            }
            default {
                return(input, returndatasize())
            }
        }
    }

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
            else if (kind == SettingKind.Rebuilder)
                _changeRebuilder(state, address(uint160(uint256(key))), value == 1);
            else _change(state, kind, key, value);
        }
        require(state.requiredProofs != 0, NoProofSystemLeft());
        require(state.rebuilders <= Entries.MAX_REBUILDERS, TooManyRebuilders(Entries.MAX_REBUILDERS));
        _state = state;
    }

    /// @inheritdoc IApp
    function judge(Facts calldata facts) external view returns (Reason) {
        if (facts.simulated && !DevelopmentChain.isOne()) return Reason.SimulatedNotAllowed;
        if (!_isNumberAllowed(facts.release)) return Reason.ReleaseNotAllowed;
        if (!_isOn(SettingKind.TeeKind, bytes32(uint256(facts.kind)))) return Reason.TeeKindNotAllowed;
        Reason tcb = _judgeTcb(facts.status);
        if (tcb == Reason.Allowed && facts.status != TcbStatus.UpToDate && facts.advisoriesDigest != 0)
            tcb = _judgeAdvisories(_advisorySets.idsOf(facts.advisoriesDigest));
        if (tcb != Reason.Allowed) return tcb;
        bytes32 digest = bytes32(_effective(SettingKind.OsImage, facts.osImageHash));
        if (digest == 0 || (digest != facts.measurementDigest && digest != facts.pinnedMeasurementDigest)) {
            return Reason.OsImageNotAllowed;
        }
        if (!_isNodeAllowed(facts.platformId, facts.operator)) return Reason.NodeNotAllowed;
        if (!facts.gpu && _effective(SettingKind.GpuRequired, 0) == 1) return Reason.GpuMissing;
        uint256 required = _requiredProofs();
        if (required == 0 || facts.proofSystems & required != required) return Reason.ProofMissing;
        return Reason.Allowed;
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 interfaceId) external pure returns (bool) {
        return
            interfaceId == type(IERC165).interfaceId ||
            interfaceId == type(IAppAuth).interfaceId ||
            interfaceId == type(IAppAuthBasicManagement).interfaceId;
    }
}
