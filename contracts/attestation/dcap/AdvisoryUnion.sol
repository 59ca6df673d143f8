// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @title AdvisoryUnion: digest of the advisories of a platform, its module and its quoting enclave together
/// @notice Over blobs as TcbBlob and AdvisoryIndex describe them. Mostly only one part has advisories, and the digest of
/// its set is ready; else ascending ids are merged.
library AdvisoryUnion {
    /// @dev The ascending ids of a blob that a bitmap names, one after another.
    struct Ids {
        uint256 here; //     address in memory of the entry whose bit is the lowest of `bitmap`
        uint256 bitmap;
    }

    /// @param level number of the platform's set in `tcbInfo` @param module of the module's
    /// @param qe of the enclave's in `qeIdentity`; 0 for none each
    function digest(
        bytes memory tcbInfo,
        uint256 level,
        uint256 module,
        bytes memory qeIdentity,
        uint256 qe
    ) internal pure returns (bytes32) {
        if (level | module | qe == 0) return 0;
        // TCB info's tail ends at byte 20 of its header, a QE identity's at byte 32.
        uint256 tcbTail = _tail(tcbInfo, 96);
        uint256 qeTail = _tail(qeIdentity, 0);
        if (level == 0 || level == module) (level, module) = (module, 0);
        if (module == 0 && qe == 0) return bytes32(_set(tcbInfo, tcbTail, level, 0));
        if (level == 0) return bytes32(_set(qeIdentity, qeTail, qe, 0));
        uint256 bitmap = _bitmap(tcbInfo, tcbTail, level) | _bitmap(tcbInfo, tcbTail, module);
        return
            _merge(_ids(tcbInfo, tcbTail, bitmap), _ids(qeIdentity, qeTail, _bitmap(qeIdentity, qeTail, qe)));
    }

    /// @dev Address of sets (2) ‖ count of sets (1) ‖ bytes of a bitmap (1) ‖ count of ids (2).
    function _tail(bytes memory blob, uint256 shift) private pure returns (uint256 tail) {
        assembly ("memory-safe") {
            tail := and(shr(shift, mload(add(blob, 32))), 0xffffffffffff)
        }
    }

    /// @dev The word at `offset` of a set, numbered from 1 on.
    function _set(
        bytes memory blob,
        uint256 tail,
        uint256 number,
        uint256 offset
    ) private pure returns (uint256 word) {
        uint256 here = (tail >> 32) + (number - 1) * (32 + uint8(tail >> 16)) + offset;
        assembly ("memory-safe") {
            word := mload(add(add(blob, 32), here))
        }
    }

    function _bitmap(bytes memory blob, uint256 tail, uint256 number) private pure returns (uint256) {
        return number == 0 ? 0 : _set(blob, tail, number, 32) >> (256 - 8 * uint256(uint8(tail >> 16)));
    }

    function _ids(bytes memory blob, uint256 tail, uint256 bitmap) private pure returns (Ids memory ids) {
        uint256 here = (tail >> 32) + uint8(tail >> 24) * (32 + uint256(uint8(tail >> 16)));
        assembly ("memory-safe") {
            here := add(add(blob, 32), here)
        }
        (ids.here, ids.bitmap) = (here, bitmap);
    }

    /// @dev keccak256 of all ids of both, ascending, each once, joined by ",".
    function _merge(Ids memory x, Ids memory y) private pure returns (bytes32 result) {
        uint256 start;
        assembly ("memory-safe") {
            start := mload(0x40)
        }
        uint256 here = start;
        uint256 left = _next(x);
        uint256 right = _next(y);
        while (left != 0 || right != 0) {
            // Nothing is left of one of them: the other's id is next.
            bool takesLeft = left != 0 && (right == 0 || left <= right);
            uint256 id = takesLeft ? left : right;
            if (left == id) left = _next(x);
            if (right == id) right = _next(y);
            assembly ("memory-safe") {
                // Text, then a comma. Beyond the free memory pointer; nothing is allocated meanwhile.
                mstore(here, id)
                here := add(here, sub(32, shr(3, sub(255, clz(and(id, sub(0, id)))))))
                mstore8(here, 0x2c)
                here := add(here, 1)
            }
        }
        assembly ("memory-safe") {
            result := keccak256(start, sub(sub(here, start), 1))
        }
    }

    /// @dev The next id as left-aligned text; 0 when none is left.
    function _next(Ids memory ids) private pure returns (uint256 id) {
        assembly ("memory-safe") {
            let here := mload(ids)
            let bitmap := mload(add(ids, 32))
            for {} bitmap {} {
                let size := byte(0, mload(here))
                if and(bitmap, 1) {
                    id := and(mload(add(here, 1)), not(shr(shl(3, size), not(0))))
                }
                here := add(here, add(size, 1))
                bitmap := shr(1, bitmap)
                if id {
                    break
                }
            }
            mstore(ids, here)
            mstore(add(ids, 32), bitmap)
        }
    }
}
