// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

// JSON's own quotes read better than escapes.
/* solhint-disable quotes */

import {Cursor, JsonCursor} from "./JsonCursor.sol";

/// @notice Advisory ids and sets of a document that is being parsed, numbered as they come.
struct AdvisoryDraft {
    uint256[] ids; //   left-aligned text; the number of the id in the lowest byte, once all are known
    uint256 idCount;
    uint256 last; //    where the last id was found
    uint256[] sets; //  bit n: id n is in the set
    uint256 setCount;
}

/// @title AdvisoryIndex: the advisories of a document, each kept once
/// @notice As packed: sets × (digest (32) ‖ bitmap (b)) ‖ ids × (length (1) ‖ text). Ids ascend, so bit n of every bitmap
/// is the n-th lowest id, and two documents that say the same are packed alike. The digest is that of IAdvisorySets:
/// keccak256 of the ascending ids joined by ",".
library AdvisoryIndex {
    /// @dev What one byte can number. Intel's documents name about 30 ids.
    uint256 private constant MAX_IDS = 255;
    uint256 private constant MAX_SETS = 255;
    /// @dev In one list; as off chain.
    uint256 private constant MAX_LISTED = 256;
    /// @dev Bit c: the character c may be in an id. "A" to "Z", "0" to "9" and "-": no comma, or joined ids were ambiguous.
    uint256 private constant CHARACTERS = 0x7fffffe03ff200000000000;

    function draft() internal pure returns (AdvisoryDraft memory created) {
        created.ids = new uint256[](MAX_IDS);
        created.sets = new uint256[](MAX_SETS);
    }

    /// @notice Parses the ids of a list, behind its "[", up to and including "]".
    /// @return number of the set; 0 when it is empty.
    function parseSet(AdvisoryDraft memory self, Cursor memory cursor) internal pure returns (uint256) {
        if (JsonCursor.accept(cursor, "]")) return 0;
        uint256 bitmap = 0;
        uint256 listed = 0;
        do {
            JsonCursor.expect(cursor, '"');
            bitmap |= 1 << _number(self, cursor);
            if (++listed > MAX_LISTED) JsonCursor.fail(cursor);
        } while (JsonCursor.more(cursor));
        for (uint256 i = 0; i < self.setCount; ++i) {
            if (self.sets[i] == bitmap) return i + 1;
        }
        if (self.setCount == MAX_SETS) JsonCursor.fail(cursor);
        self.sets[self.setCount] = bitmap;
        return ++self.setCount;
    }

    /// @dev Number of the id that comes next in the document. Lists repeat each other's ids in about the same order, so
    /// the search starts behind the last id that was found, and goes round.
    function _number(AdvisoryDraft memory self, Cursor memory cursor) private pure returns (uint256 found) {
        uint256 before = cursor.here;
        uint256 id = uint256(JsonCursor.word(cursor));
        uint256 count = self.idCount;
        uint256[] memory ids = self.ids;
        found = self.last;
        bool known;
        assembly ("memory-safe") {
            let first := add(ids, 32)
            for {
                let left := count
            } left {
                left := sub(left, 1)
            } {
                found := add(found, 1)
                if iszero(lt(found, count)) {
                    found := 0
                }
                if eq(mload(add(first, shl(5, found))), id) {
                    known := 1
                    break
                }
            }
        }
        if (!known) {
            if (count == MAX_IDS || !_isId(id)) {
                cursor.here = before;
                JsonCursor.fail(cursor);
            }
            found = count;
            ids[count] = id;
            self.idCount = count + 1;
        }
        self.last = found;
    }

    /// @dev 1 to 31 allowed characters, then zeros only.
    function _isId(uint256 id) private pure returns (bool good) {
        assembly ("memory-safe") {
            let i := 0
            for {} and(shr(byte(i, id), CHARACTERS), 1) {} {
                i := add(i, 1)
            }
            good := and(iszero(iszero(i)), iszero(shl(shl(3, i), id)))
        }
    }

    /// @notice Writes sets and ids to memory at `here`, and sorts the draft's ids.
    /// @return end address behind them
    /// @return tail count of sets (1) ‖ bytes of a bitmap (1) ‖ count of ids (2)
    function write(
        AdvisoryDraft memory self,
        uint256 here
    ) internal pure returns (uint256 end, uint256 tail) {
        (uint256 idCount, uint256 setCount) = (self.idCount, self.setCount);
        _sort(self);
        uint256 width = (idCount + 7) / 8;
        for (uint256 i = 0; i < setCount; ++i) {
            (bytes32 digest, uint256 bitmap) = _sorted(self, self.sets[i]);
            assembly ("memory-safe") {
                mstore(here, digest)
                mstore(add(here, 32), shl(sub(256, shl(3, width)), bitmap))
            }
            here += 32 + width;
        }
        for (uint256 i = 0; i < idCount; ++i) {
            (uint256 id, uint256 size) = _text(self.ids[i]);
            assembly ("memory-safe") {
                mstore8(here, size)
                mstore(add(here, 1), id)
            }
            here += 1 + size;
        }
        return (here, (setCount << 24) | (width << 16) | idCount);
    }

    /// @dev Ascending by text (shorter first where one begins the other: it goes on with zero), by insertion. Each id gets
    /// the number that bitmaps know it by into its lowest byte, which no text reaches.
    function _sort(AdvisoryDraft memory self) private pure {
        uint256[] memory ids = self.ids;
        uint256 count = self.idCount;
        assembly ("memory-safe") {
            let first := add(ids, 32)
            for {
                let i := 0
            } lt(i, count) {
                i := add(i, 1)
            } {
                let slot := add(first, shl(5, i))
                let id := or(mload(slot), i)
                for {} gt(slot, first) {} {
                    let previous := mload(sub(slot, 32))
                    if lt(previous, id) {
                        break
                    }
                    mstore(slot, previous)
                    slot := sub(slot, 32)
                }
                mstore(slot, id)
            }
        }
    }

    /// @dev Digest of a set, and its bitmap over sorted ids. `numbers` has a bit for each id's number.
    function _sorted(
        AdvisoryDraft memory self,
        uint256 numbers
    ) private pure returns (bytes32 digest, uint256 bitmap) {
        uint256[] memory ids = self.ids;
        uint256 count = self.idCount;
        assembly ("memory-safe") {
            // Joined beyond the free memory pointer, where nothing is allocated meanwhile.
            let start := mload(0x40)
            let end := start
            for {
                let i := 0
            } lt(i, count) {
                i := add(i, 1)
            } {
                ids := add(ids, 32)
                let id := mload(ids)
                if and(shr(and(id, 0xff), numbers), 1) {
                    bitmap := or(bitmap, shl(i, 1))
                    id := and(id, not(0xff))
                    mstore(end, id)
                    // The lowest set bit lies in the last character.
                    end := add(end, sub(32, shr(3, sub(255, clz(and(id, sub(0, id)))))))
                    mstore8(end, 0x2c)
                    end := add(end, 1)
                }
            }
            // Without the last comma. No set is empty.
            digest := keccak256(start, sub(sub(end, start), 1))
        }
    }

    /// @dev An id without its number, and its length: the lowest set bit lies in its last character.
    function _text(uint256 entry) private pure returns (uint256 id, uint256 size) {
        assembly ("memory-safe") {
            id := and(entry, not(0xff))
            size := sub(32, shr(3, sub(255, clz(and(id, sub(0, id))))))
        }
    }
}
