// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @title EvidenceBlocks: hash of a recent block
/// @notice BLOCKHASH for the last 256 blocks, the EIP-2935 history contract for the last 8,191.
library EvidenceBlocks {
    uint256 internal constant BLOCKHASH_WINDOW = 256;
    uint256 internal constant HISTORY_WINDOW = 8191;
    address internal constant HISTORY = 0x0000F90827F1C53a10cb7A02335B175320002935;

    /// @return hash of block `number`, or zero when this chain does not know it (any more, or yet).
    function hashOf(uint256 number) internal view returns (bytes32 hash) {
        if (number >= block.number) return 0;
        if (block.number - number <= BLOCKHASH_WINDOW) return blockhash(number);
        if (block.number - number > HISTORY_WINDOW) return 0;
        // EIP-2935: call data is the number as 32 bytes, the answer is 32 bytes; anything else is no answer.
        (bool ok, bytes memory answer) = HISTORY.staticcall(abi.encode(number));
        if (!ok || answer.length != 32) return 0;
        return abi.decode(answer, (bytes32));
    }
}
