// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {TcbStatus, TeeKind} from "../interfaces/Types.sol";
import {InstanceWord} from "./InstanceWord.sol";

/// @title BatchWord: what the ledger keeps of a posted batch, in one slot
/// @dev From the lowest bits: generation of the committee's verifier 8, unused 40, end 40, oldest evidence block 40, block
/// that it was posted in 40. The first four lie where InstanceWord has theirs. Never zero, as no batch is posted in block 0.
library BatchWord {
    function pack(
        uint40 validUntil_,
        uint40 minBlock_,
        uint40 postedBlock_,
        uint8 generation_
    ) internal pure returns (uint256) {
        return
            uint256(generation_) |
            (uint256(validUntil_) << 48) |
            (uint256(minBlock_) << 88) |
            (uint256(postedBlock_) << 128);
    }

    /// @notice Whether a leaf's facts may stand in this batch: no stray bits; release, node and image are some; kind and
    /// status are known; the evidence is no older than the batch says and no younger than its posting.
    /// @dev In one expression without branches: every claim pays for it.
    function admits(uint256 word, uint256 facts) internal pure returns (bool good) {
        uint256 stray = facts & ~InstanceWord.LEAF;
        uint256 mostKind = uint256(type(TeeKind).max);
        uint256 mostStatus = uint256(type(TcbStatus).max);
        assembly ("memory-safe") {
            let bad := or(stray, or(gt(byte(12, facts), mostKind), gt(byte(13, facts), mostStatus)))
            bad := or(bad, iszero(shr(224, facts)))
            bad := or(bad, iszero(and(shr(192, facts), 0xffffffff)))
            bad := or(bad, iszero(and(shr(160, facts), 0xffffffff)))
            let evidenceBlock := and(shr(88, facts), 0xffffffffff)
            bad := or(bad, lt(evidenceBlock, and(shr(88, word), 0xffffffffff)))
            // Above it there is nothing.
            good := iszero(or(bad, gt(evidenceBlock, shr(128, word))))
        }
    }

    /// @notice When a leaf with these facts ends: no later than its batch.
    function endOf(uint256 word, uint256 facts) internal pure returns (uint40 end) {
        assembly ("memory-safe") {
            let mask := 0xffffffffff
            end := and(shr(48, facts), mask)
            let other := and(shr(48, word), mask)
            end := xor(end, mul(xor(end, other), lt(other, end)))
        }
    }

    function validUntil(uint256 word) internal pure returns (uint40) {
        return uint40(word >> 48);
    }

    function minBlock(uint256 word) internal pure returns (uint40) {
        return uint40(word >> 88);
    }

    function postedBlock(uint256 word) internal pure returns (uint40) {
        return uint40(word >> 128);
    }

    function generationOf(uint256 word) internal pure returns (uint8) {
        return uint8(word);
    }
}
