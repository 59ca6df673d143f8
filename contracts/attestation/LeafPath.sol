// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Leaf} from "../interfaces/IAttestationLedger.sol";

/// @title LeafPath: from a leaf to the root of its batch, as OpenZeppelin's merkle-tree hashes
/// @dev By hand: a claim pays for each step, and the library's loop costs twice as much.
library LeafPath {
    /// @notice keccak256(bytes.concat(keccak256(abi.encode(leaf)))): hashed twice, so that no inner node passes for a leaf.
    function hashOf(Leaf calldata leaf) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            // A leaf is four words, which are its ABI encoding; behind the free memory pointer nothing is kept.
            let buffer := mload(0x40)
            calldatacopy(buffer, leaf, 128)
            mstore(0x00, keccak256(buffer, 128))
            hash := keccak256(0x00, 32)
        }
    }

    /// @notice The root over `hash` by its path; of each pair the smaller comes first.
    function rootOf(bytes32[] calldata path, bytes32 hash) internal pure returns (bytes32 root) {
        assembly ("memory-safe") {
            root := hash
            let end := add(path.offset, shl(5, path.length))
            for {
                let at := path.offset
            } lt(at, end) {
                at := add(at, 32)
            } {
                let sibling := calldataload(at)
                // Scratch space: the one goes to 0x00 or 0x20, the other to the other.
                let side := shl(5, gt(root, sibling))
                mstore(side, root)
                mstore(xor(side, 0x20), sibling)
                root := keccak256(0x00, 0x40)
            }
        }
    }
}
