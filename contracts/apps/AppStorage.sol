// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IApp} from "../interfaces/IApp.sol";
import {Level, SettingKind} from "../interfaces/Types.sol";
import {LiveSet} from "./LiveSet.sol";

/// @title AppStorage: where an app's state lies, and who may touch it
/// @dev Clones never upgrade, so this layout is fixed by the registry that made them. Immutable arguments behind the
/// ERC-1167 code: registry (20) ‖ first owner (20) ‖ first guardian (20) ‖ keccak256(settings) (32) ‖ salt (32).
abstract contract AppStorage is IApp {
    struct ControlSlot {
        address owner;
        uint32 noticeSeconds;
        uint32 noticeFloorSeconds;
        uint24 graceSeconds;
        Level level;
    }

    struct GuardianSlot {
        address guardian;
        bool replaced; // false: the first guardian, from the immutable arguments
    }

    struct PendingGuardianSlot {
        address guardian;
        uint40 effectiveAt; // 0: nothing pending
    }

    struct PolicySlot {
        uint8 teeKinds; //         bit n: TeeKind n allowed
        uint16 tcbStatuses; //     bit n: TcbStatus n allowed
        uint8 requiredProofs; //   bit n: ProofSystem n required
        bool anyNode;
        bool acceptBootInfo;
        uint32 maxEvidenceAge; //  blocks
        uint16 replicas;
        uint8 pendingCount; //     loosenings recorded and not yet settled
    }

    struct ReleaseSlot {
        uint24 number; //          latest release of this hash
        uint40 activatesAt;
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

    uint256 private _live;
    ControlSlot internal _control;
    PolicySlot internal _policy;
    GuardianSlot private _guardian;
    PendingGuardianSlot private _pendingGuardian;
    address internal _pendingOwner;
    bytes32 internal _selectorDigest;
    mapping(bytes32 composeHash => ReleaseSlot release) internal _latest;
    mapping(bytes32 osImageHash => bytes32 measurementDigest) internal _osImages;
    mapping(bytes32 platformId => bool allowed) internal _nodes;
    mapping(bytes32 entryId => PendingSlot pending) internal _pending;
    bytes32[] internal _pendingIds;

    // ---------------------------------------------------------------- live set

    function _loadLive() internal view returns (LiveSet.Live memory) {
        return LiveSet.unpack(_live);
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

    function _registryArgument() internal view returns (address) {
        return _argument(0);
    }

    function _ownerArgument() internal view returns (address) {
        return _argument(20);
    }

    function _guardianArgument() internal view returns (address) {
        return _argument(40);
    }

    function _settingsDigestArgument() internal view returns (bytes32 value) {
        assembly ("memory-safe") {
            extcodecopy(address(), 0, add(0x2d, 60), 32)
            value := mload(0)
        }
    }

    // ---------------------------------------------------------------- who may

    /// @dev The guardian of now: a matured change counts without a transaction.
    function _currentGuardian() internal view returns (address) {
        PendingGuardianSlot memory pending = _pendingGuardian;
        if (pending.effectiveAt != 0 && pending.effectiveAt <= block.timestamp) return pending.guardian;
        GuardianSlot memory slot = _guardian;
        return slot.replaced ? slot.guardian : _guardianArgument();
    }

    function _guardianChange() internal view returns (address guardian, uint40 effectiveAt) {
        PendingGuardianSlot memory pending = _pendingGuardian;
        if (pending.effectiveAt > block.timestamp) return (pending.guardian, pending.effectiveAt);
    }

    function _storeGuardian(address guardian) internal {
        _guardian = GuardianSlot(guardian, true);
        delete _pendingGuardian;
    }

    function _storeGuardianChange(address guardian, uint40 effectiveAt) internal {
        // What an earlier, matured change gave must stand while the new one waits.
        _guardian = GuardianSlot(_currentGuardian(), true);
        _pendingGuardian = PendingGuardianSlot(guardian, effectiveAt);
    }

    function _deleteGuardianChange() internal {
        delete _pendingGuardian;
    }

    function _requireOwner() internal view {
        require(msg.sender == _control.owner, NotOwner(_control.owner, msg.sender));
    }

    function _requireOwnerOrGuardian() internal view {
        if (msg.sender == _control.owner) return;
        address guardian = _currentGuardian();
        require(
            guardian != address(0) && msg.sender == guardian,
            NotOwnerOrGuardian(_control.owner, guardian, msg.sender)
        );
    }

    /// @dev Reverts from `forbiddenFrom` on.
    function _requireBelow(Level forbiddenFrom) internal view {
        Level level = _control.level;
        require(level < forbiddenFrom, LevelForbids(level, msg.sig));
    }

    function _now() internal view returns (uint40) {
        return uint40(block.timestamp);
    }
}
