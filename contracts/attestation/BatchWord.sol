// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @title BatchWord: what the ledger keeps of a posted batch, in one slot
/// @dev From the lowest bits: end 40, oldest evidence block 64, block that it was posted in 64, generation of the
/// committee's verifier 8. Never zero, as no batch is posted in block 0.
library BatchWord {
    function pack(
        uint40 validUntil_,
        uint64 minBlock_,
        uint64 postedBlock_,
        uint8 generation_
    ) internal pure returns (uint256) {
        return
            uint256(validUntil_) |
            (uint256(minBlock_) << 40) |
            (uint256(postedBlock_) << 104) |
            (uint256(generation_) << 168);
    }

    function validUntil(uint256 word) internal pure returns (uint40) {
        return uint40(word);
    }

    function minBlock(uint256 word) internal pure returns (uint64) {
        return uint64(word >> 40);
    }

    function postedBlock(uint256 word) internal pure returns (uint64) {
        return uint64(word >> 104);
    }

    function generationOf(uint256 word) internal pure returns (uint8) {
        return uint8(word >> 168);
    }
}
