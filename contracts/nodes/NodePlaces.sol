// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {INodeRegistry} from "../interfaces/INodeRegistry.sol";
import {TcbStatus, TeeKind} from "../interfaces/Types.sol";

/// @notice What is kept of a node: two slots, and one more that names its platform.
struct Entry {
    address operator;
    uint40 attestedAt;
    uint24 validSeconds; // from then on
    TeeKind kind;
    TcbStatus status;
    uint8 flags;
    uint8 generation; //   of the verifier that keeps the record
    address key;
    uint32 record;
    uint24 number;
    uint40 evidenceBlock;
}

/// @title NodePlaces: where nodes are kept
/// @dev A node lies with its platform, in one of few places, so that counting a platform's nodes takes no slot of its own:
/// a registration pays 22,100 gas for each. A retired node keeps its place until another node of its platform takes it;
/// after that only its platform is known.
abstract contract NodePlaces is INodeRegistry {
    uint8 internal constant SIMULATED = 1;
    uint8 internal constant RETIRED = 2;
    uint8 internal constant INVALIDATED = 4;
    uint32 internal constant MAX_PLACES = 8;

    /// @notice The most nodes of one platform that are not retired: one machine cannot pose as a fleet.
    uint32 public immutable maxKeysPerPlatform;

    mapping(uint32 number => bytes32 platformId) private _platformIds;
    mapping(bytes32 platformId => Entry[MAX_PLACES] entries) private _places;
    uint24 private _count;
    /// @dev NodeRegistry's; here because a registration reads the slot anyway.
    bool internal _needsListed;

    constructor(uint32 maxKeysPerPlatform_) {
        require(
            maxKeysPerPlatform_ != 0 && maxKeysPerPlatform_ <= MAX_PLACES,
            BadKeyLimit(MAX_PLACES, maxKeysPerPlatform_)
        );
        maxKeysPerPlatform = maxKeysPerPlatform_;
    }

    /// @inheritdoc INodeRegistry
    function nodesOn(bytes32 platformId) external view returns (uint32[] memory numbers) {
        Entry[MAX_PLACES] storage entries = _places[platformId];
        numbers = new uint32[](maxKeysPerPlatform);
        uint256 length = 0;
        for (uint256 i = 0; i < maxKeysPerPlatform; ++i) {
            if (entries[i].number != 0 && !_isRetired(entries[i])) numbers[length++] = entries[i].number;
        }
        assembly ("memory-safe") {
            mstore(numbers, length)
        }
    }

    /// @inheritdoc INodeRegistry
    function nodeCount() external view returns (uint32) {
        return _count;
    }

    /// @inheritdoc INodeRegistry
    function platformIdOf(uint32 number) public view returns (bytes32 platformId) {
        platformId = _platformIds[number];
        // No registered platform's id, which is a hash, is zero.
        require(platformId != 0, UnknownNode(number));
    }

    /// @dev Keeps a new node, in the first free place of its platform. A key stands once on a platform.
    function _keep(bytes32 platformId, Entry memory entry) internal returns (uint32 number) {
        Entry[MAX_PLACES] storage entries = _places[platformId];
        uint256 free = MAX_PLACES;
        for (uint256 i = 0; i < maxKeysPerPlatform; ++i) {
            bool isUnused = entries[i].number == 0;
            if (isUnused || _isRetired(entries[i])) {
                if (free == MAX_PLACES) free = i;
                // Places are taken in their order: behind one that never was, none ever was.
                if (isUnused) break;
            } else require(entries[i].key != entry.key, KeyInUse(entry.key, entries[i].number));
        }
        require(free != MAX_PLACES, TooManyKeys(platformId, maxKeysPerPlatform));
        entry.number = ++_count;
        entries[free] = entry;
        _platformIds[entry.number] = platformId;
        return entry.number;
    }

    /// @dev Where this node lies. `isKept` is false for a number that there is not, and for a retired node whose place is
    /// another's by now.
    function _find(uint32 number) internal view returns (bool isKept, Entry storage entry) {
        Entry[MAX_PLACES] storage entries = _places[_platformIds[number]];
        for (uint256 i = 0; i < maxKeysPerPlatform; ++i) {
            if (number != 0 && entries[i].number == number) return (true, entries[i]);
        }
        return (false, entries[0]);
    }

    function _isRetired(Entry storage entry) private view returns (bool) {
        return entry.flags & RETIRED != 0;
    }
}
