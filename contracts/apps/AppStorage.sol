// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IAdvisorySets} from "../interfaces/IAdvisorySets.sol";
import {IAppEvents} from "../interfaces/IApp.sol";
import {IEndorsements} from "../interfaces/IEndorsements.sol";
import {Level, SettingKind} from "../interfaces/Types.sol";
import {LiveSet} from "./LiveSet.sol";

/// @title AppStorage: where an app's state lies, and who may touch it
/// @dev Clones never upgrade, so this layout is fixed by the registry that made them. Creating an app and asking it are
/// the commonest calls, so what both need lies in two slots: the live set and `State`. First owner and first guardian
/// stay in the clone's code (immutable arguments: owner (20) ‖ guardian (20) ‖ keccak256(settings digest ‖ salt) (32))
/// until somebody replaces them.
abstract contract AppStorage is IAppEvents {
    /// @dev 32 bytes exactly: everything that is one value per app.
    struct State {
        uint32 noticeSeconds;
        uint32 noticeFloorSeconds;
        uint24 graceSeconds;
        Level level;
        uint8 teeKinds; //         bit n: TeeKind n allowed
        uint8 tcbStatuses; //      bit n: TcbStatus n allowed
        uint8 requiredProofs; //   bit n: ProofSystem n required
        bool anyNode;
        bool acceptBootInfo;
        bool gpuRequired;
        uint16 maxEvidenceAge; //  blocks
        uint16 replicas;
        uint8 pendingCount; //     loosenings recorded and not yet settled
        bool ownerReplaced; //     false: the first owner, from the immutable arguments
        bool guardianReplaced; //  false: likewise, and no change is waiting
        uint8 rebuildsRequired; // matching reports that a release needs
        uint8 rebuilders; //       accounts that may report
        uint16 rebuildersVersion; // counts changes of that set
    }

    struct PendingGuardianSlot {
        address guardian;
        uint40 effectiveAt; // 0: nothing pending
    }

    struct ReleaseSlot {
        uint24 number; //          latest release of this hash
        uint40 activatesAt;
    }

    struct RebuilderSlot {
        uint16 since; //           version of the set that brought this rebuilder
        uint16 until; //           version that took it away; the highest while it stays
    }

    /// @dev Of the newest release, while it still needs reports.
    struct RebuildSlot {
        uint24 number;
        uint8 required;
        uint8 matches;
        uint16 version;
    }

    struct PendingSlot {
        SettingKind kind;
        uint40 effectiveAt; //     0: nothing pending
        bytes32 key;
        uint256 value;
    }

    /// @dev The most loosenings that may wait at a time: bounds every loop over them.
    uint256 internal constant MAX_PENDING = 16;
    uint256 internal constant MAX_NOTICE_SECONDS = 365 days;
    uint256 internal constant MAX_GRACE_SECONDS = 30 days;
    uint40 internal constant NEVER = type(uint40).max;

    /// @dev The registry that deployed this logic; only it makes clones whose addresses it knows.
    address private immutable _registry = msg.sender;
    IAdvisorySets internal immutable _advisorySets;
    IEndorsements internal immutable _endorsements;

    uint256 private _live;
    State internal _state;
    address private _replacedOwner;
    address private _replacedGuardian;
    PendingGuardianSlot private _pendingGuardian;
    address internal _pendingOwner;
    bytes32 internal _selectorDigest;
    mapping(bytes32 composeHash => ReleaseSlot release) internal _latest;
    /// @dev Entries that are many per app: see `Entries.id`.
    mapping(bytes32 entryId => uint256 value) internal _values;
    mapping(bytes32 entryId => PendingSlot pending) internal _pending;
    bytes32[] internal _pendingIds;
    mapping(address account => RebuilderSlot slot) internal _rebuilders;
    RebuildSlot internal _rebuild;
    mapping(uint256 number => mapping(address rebuilder => bool reported)) internal _reported;

    constructor(IAdvisorySets advisorySets, IEndorsements endorsements) {
        _advisorySets = advisorySets;
        _endorsements = endorsements;
    }

    // ---------------------------------------------------------------- live set

    /// @dev As of this block: a release that came to its time without its reports has lapsed.
    function _loadLive() internal view returns (LiveSet.Live memory live) {
        live = LiveSet.unpack(_live);
        LiveSet.settle(live, block.timestamp);
    }

    function _storeLive(LiveSet.Live memory live) internal {
        _live = LiveSet.pack(live);
    }

    // ---------------------------------------------------------------- immutable arguments

    /// @dev An address among the clone's immutable arguments. 0x2d: length of the ERC-1167 code before them.
    function _argument(uint256 offset) private view returns (address value) {
        assembly ("memory-safe") {
            mstore(0, 0)
            extcodecopy(address(), 12, add(0x2d, offset), 20)
            value := mload(0)
        }
    }

    function _registryAddress() internal view returns (address) {
        return _registry;
    }

    function _firstOwner() internal view returns (address) {
        return _argument(0);
    }

    function _firstGuardian() internal view returns (address) {
        return _argument(20);
    }

    // ---------------------------------------------------------------- who may

    function _currentOwner() internal view returns (address) {
        return _state.ownerReplaced ? _replacedOwner : _firstOwner();
    }

    function _storeOwner(address owner_) internal {
        _state.ownerReplaced = true;
        _replacedOwner = owner_;
    }

    /// @dev The guardian of now: a matured change counts without a transaction.
    function _currentGuardian() internal view returns (address) {
        if (!_state.guardianReplaced) return _firstGuardian();
        PendingGuardianSlot memory pending = _pendingGuardian;
        if (pending.effectiveAt != 0 && pending.effectiveAt <= block.timestamp) return pending.guardian;
        return _replacedGuardian;
    }

    function _guardianChange() internal view returns (address guardian, uint40 effectiveAt) {
        if (!_state.guardianReplaced) return (address(0), 0);
        PendingGuardianSlot memory pending = _pendingGuardian;
        if (pending.effectiveAt > block.timestamp) return (pending.guardian, pending.effectiveAt);
    }

    function _storeGuardian(address guardian) internal {
        _replacedGuardian = guardian;
        _state.guardianReplaced = true;
        delete _pendingGuardian;
    }

    function _storeGuardianChange(address guardian, uint40 effectiveAt) internal {
        // What an earlier, matured change gave must stand while the new one waits.
        _replacedGuardian = _currentGuardian();
        _state.guardianReplaced = true;
        _pendingGuardian = PendingGuardianSlot(guardian, effectiveAt);
    }

    function _deleteGuardianChange() internal {
        delete _pendingGuardian;
    }

    function _requireOwner() internal view {
        address owner_ = _currentOwner();
        require(msg.sender == owner_, NotOwner(owner_, msg.sender));
    }

    function _requireOwnerOrGuardian() internal view {
        address owner_ = _currentOwner();
        if (msg.sender == owner_) return;
        address guardian = _currentGuardian();
        require(
            guardian != address(0) && msg.sender == guardian,
            NotOwnerOrGuardian(owner_, guardian, msg.sender)
        );
    }

    /// @dev Reverts from `forbiddenFrom` on.
    function _requireBelow(Level forbiddenFrom) internal view {
        Level level = _state.level;
        require(level < forbiddenFrom, LevelForbids(level, msg.sig));
    }

    function _now() internal view returns (uint40) {
        return uint40(block.timestamp);
    }
}
