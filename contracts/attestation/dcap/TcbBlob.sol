// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

// JSON's own quotes read better than escapes.
/* solhint-disable quotes */

import {TcbStatus} from "../../interfaces/Types.sol";
import {AdvisoryDraft, AdvisoryIndex} from "./AdvisoryIndex.sol";
import {Cursor, JsonCursor} from "./JsonCursor.sol";

/// @notice A blob that is being written.
struct Draft {
    uint256 here; // address of the next byte
    uint256 start; // address of the first
    AdvisoryDraft advisories;
}

/// @title TcbBlob: TCB info and QE identity, packed
/// @notice A blob holds what a judgement depends on and nothing else (no dates, no evaluation number), in one form only:
/// equal hashes mean equal judgements. All numbers are big-endian, all parts follow each other without gaps.
///
/// TCB info
///    0  tee (1) ‖ FMSPC (6) ‖ PCEID (2) ‖ levels n (2) ‖ module identities m (1) ‖ address of the levels (2)
///       ‖ tail (6) ‖ zeros (12)
///   32  TDX only: identity of modules of version 0: MRSIGNERSEAM (48) ‖ attributes (8) ‖ attributes' mask (8)
///       m × (version (1) ‖ ISV levels k (1) ‖ MRSIGNERSEAM (48) ‖ attributes (8) ‖ mask (8) ‖ k × ISV level)
///       n × level: 16 SGX SVNs ‖ 16 TDX SVNs (zeros in a document for SGX) ‖ PCESVN (2) ‖ status (1) ‖ advisories (1)
///       advisory sets and ids
/// QE identity
///    0  tee (1) ‖ ISVPRODID (2) ‖ ISV levels n (1) ‖ MISCSELECT (4) ‖ its mask (4) ‖ zeros (14) ‖ tail (6)
///   32  attributes (16) ‖ their mask (16) ‖ MRSIGNER (32) ‖ n × ISV level ‖ advisory sets and ids
/// ISV level: ISVSVN (2) ‖ status (1) ‖ advisories (1)
/// Tail: address of the advisory sets (2) ‖ count of sets (1) ‖ bytes of a bitmap b (1) ‖ count of ids (2)
/// `advisories` is 0 for none, else the number of a set, from 1 on. See AdvisoryIndex for sets and ids.
library TcbBlob {
    /// @dev Addresses and sizes, in bytes.
    uint256 internal constant HEADER = 32;
    uint256 internal constant MODULE = 64; //     signer, attributes and mask of a module
    uint256 internal constant LEVEL = 36;
    uint256 internal constant ISV_LEVEL = 4;
    uint256 internal constant QE_LEVELS = 96; //  where a QE identity's levels start
    /// @dev What fits: larger documents than Intel's by an order of magnitude. The same bounds as off chain.
    uint256 internal constant MAX_LEVELS = 256;
    uint256 internal constant MAX_ISV_LEVELS = 64;
    uint256 internal constant MAX_MODULES = 64;

    /// @notice A draft large enough for any document of `size` bytes: each part takes fewer bytes here than there.
    function draft(uint256 size) internal pure returns (Draft memory created) {
        bytes memory room = new bytes(size + 96);
        uint256 start;
        assembly ("memory-safe") {
            start := add(room, 32)
        }
        (created.start, created.here) = (start, start);
        created.advisories = AdvisoryIndex.draft();
    }

    /// @notice Appends the lowest `size` (1 to 32) bytes of `value`.
    function append(Draft memory self, uint256 value, uint256 size) internal pure {
        assembly ("memory-safe") {
            let here := mload(self)
            mstore(here, shl(sub(256, shl(3, size)), value))
            mstore(self, add(here, size))
        }
    }

    /// @notice Bytes written so far.
    function length(Draft memory self) internal pure returns (uint256) {
        return self.here - self.start;
    }

    /// @notice Appends advisory sets and ids. @return tail what a header says of them.
    function finish(Draft memory self) internal pure returns (uint256 tail) {
        uint256 setsAt = length(self);
        (self.here, tail) = AdvisoryIndex.write(self.advisories, self.here);
        return (setsAt << 32) | tail;
    }

    /// @notice The blob, its first word replaced by `header`.
    function seal(Draft memory self, uint256 header) internal pure returns (bytes memory blob) {
        uint256 size = length(self);
        assembly ("memory-safe") {
            // `start` is where the draft's bytes begin; the word before it becomes the blob's length.
            let start := mload(add(self, 32))
            blob := sub(start, 32)
            mstore(blob, size)
            mstore(start, header)
        }
    }

    /// @notice Parses `{"tcb":{"isvsvn":…},…}` until the list ends, and appends each. @return count of levels.
    function isvLevels(Draft memory self, Cursor memory cursor) internal pure returns (uint256 count) {
        do {
            if (++count > MAX_ISV_LEVELS) JsonCursor.fail(cursor);
            JsonCursor.expect(cursor, '{"tcb":{"isvsvn":');
            uint256 svn = JsonCursor.number(cursor, type(uint16).max);
            append(self, (svn << 16) | levelEnd(self, cursor), ISV_LEVEL);
        } while (JsonCursor.more(cursor));
    }

    /// @notice Parses what every level ends with, from the "}" of its `tcb` on. Its date is checked and not kept.
    /// @return status (1) ‖ advisories (1)
    function levelEnd(Draft memory self, Cursor memory cursor) internal pure returns (uint256) {
        JsonCursor.expect(cursor, '},"tcbDate":');
        JsonCursor.time(cursor);
        JsonCursor.expect(cursor, ',"tcbStatus":"');
        uint256 status = uint256(_status(cursor));
        uint256 set = 0;
        if (JsonCursor.accept(cursor, ',"advisoryIDs":[')) {
            set = AdvisoryIndex.parseSet(self.advisories, cursor);
        }
        JsonCursor.expect(cursor, "}");
        return (status << 8) | set;
    }

    function _status(Cursor memory cursor) private pure returns (TcbStatus) {
        if (JsonCursor.accept(cursor, 'UpToDate"')) return TcbStatus.UpToDate;
        if (JsonCursor.accept(cursor, 'OutOfDate"')) return TcbStatus.OutOfDate;
        if (JsonCursor.accept(cursor, 'SWHardeningNeeded"')) return TcbStatus.SWHardeningNeeded;
        if (JsonCursor.accept(cursor, 'ConfigurationNeeded"')) return TcbStatus.ConfigurationNeeded;
        if (JsonCursor.accept(cursor, 'OutOfDateConfigurationNeeded"')) {
            return TcbStatus.OutOfDateConfigurationNeeded;
        }
        if (JsonCursor.accept(cursor, 'Revoked"')) return TcbStatus.Revoked;
        JsonCursor.expect(cursor, "ConfigurationAndSWHardening");
        JsonCursor.expect(cursor, 'Needed"');
        return TcbStatus.ConfigurationAndSWHardeningNeeded;
    }
}
