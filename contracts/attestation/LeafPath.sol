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
            // The hash so far stands at 0x20, its sibling before it or behind it: the smaller one comes first. Behind it
            // lies the free memory pointer, which is put back. One step, two, then four in a round.
            let kept := mload(0x40)
            let at := path.offset
            let end := add(at, shl(5, path.length))
            let sibling
            let side
            root := hash
            mstore(0x20, root)
            if and(path.length, 1) {
                sibling := calldataload(at)
                side := shl(6, lt(root, sibling))
                mstore(side, sibling)
                root := keccak256(shr(1, side), 0x40)
                mstore(0x20, root)
                at := add(at, 32)
            }
            if and(path.length, 2) {
                sibling := calldataload(at)
                side := shl(6, lt(root, sibling))
                mstore(side, sibling)
                root := keccak256(shr(1, side), 0x40)
                mstore(0x20, root)
                sibling := calldataload(add(at, 32))
                side := shl(6, lt(root, sibling))
                mstore(side, sibling)
                root := keccak256(shr(1, side), 0x40)
                mstore(0x20, root)
                at := add(at, 64)
            }
            for {} lt(at, end) {
                at := add(at, 128)
            } {
                sibling := calldataload(at)
                side := shl(6, lt(root, sibling))
                mstore(side, sibling)
                root := keccak256(shr(1, side), 0x40)
                mstore(0x20, root)
                sibling := calldataload(add(at, 32))
                side := shl(6, lt(root, sibling))
                mstore(side, sibling)
                root := keccak256(shr(1, side), 0x40)
                mstore(0x20, root)
                sibling := calldataload(add(at, 64))
                side := shl(6, lt(root, sibling))
                mstore(side, sibling)
                root := keccak256(shr(1, side), 0x40)
                mstore(0x20, root)
                sibling := calldataload(add(at, 96))
                side := shl(6, lt(root, sibling))
                mstore(side, sibling)
                root := keccak256(shr(1, side), 0x40)
                mstore(0x20, root)
            }
            mstore(0x40, kept)
        }
    }
}
