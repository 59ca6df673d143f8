// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ProofSystem, TcbStatus, TeeKind} from "../interfaces/Types.sol";

/// @title InstanceWord: what the ledger keeps of an instance, in one slot
/// @dev From the highest bits: release 32, node 32, image 32, kind 8, status 8, flags 8, proof systems 8, evidence block
/// 40, expiry 40, record 32, generation of its verifier 8, generation of the committee's verifier 8. A leaf's facts are such
/// a word whose proof systems and everything below expiry are zero: the committee says what was found, the ledger who has
/// proven it.
library InstanceWord {
    uint8 internal constant SIMULATED = 1;
    uint8 internal constant GPU = 2;
    uint8 internal constant HAS_DIGEST = 4;

    /// @dev Everything that evidence fixes, whoever judges it: release, node, image, kind, simulated, GPU, evidence block.
    uint256 private constant FIXED =
        (uint256(type(uint96).max) << 160) |
            (uint256(0xff) << 152) |
            (uint256(SIMULATED | GPU) << 136) |
            (uint256(type(uint40).max) << 88);
    /// @dev Everything that a leaf may say (BatchWord.admits).
    uint256 internal constant LEAF =
        (uint256(type(uint96).max) << 160) |
            (uint256(0xffff) << 144) |
            (uint256(SIMULATED | GPU | HAS_DIGEST) << 136) |
            (uint256(type(uint80).max) << 48);

    function pack(
        uint32 release_,
        uint32 node_,
        uint32 image_,
        TeeKind kind_,
        TcbStatus status_,
        uint8 flags_,
        uint40 evidenceBlock_,
        uint40 expiresAt_
    ) internal pure returns (uint256) {
        return
            (uint256(release_) << 224) |
            (uint256(node_) << 192) |
            (uint256(image_) << 160) |
            (uint256(kind_) << 152) |
            (uint256(status_) << 144) |
            (uint256(flags_) << 136) |
            (uint256(evidenceBlock_) << 88) |
            (uint256(expiresAt_) << 48);
    }

    /// @dev Same in everything that the same evidence must give.
    function isSameEvidence(uint256 a, uint256 b) internal pure returns (bool) {
        return (a ^ b) & FIXED == 0;
    }

    function release(uint256 word) internal pure returns (uint32) {
        return uint32(word >> 224);
    }

    function node(uint256 word) internal pure returns (uint32) {
        return uint32(word >> 192);
    }

    function image(uint256 word) internal pure returns (uint32) {
        return uint32(word >> 160);
    }

    function kind(uint256 word) internal pure returns (TeeKind) {
        return TeeKind(uint8(word >> 152));
    }

    function status(uint256 word) internal pure returns (TcbStatus) {
        return TcbStatus(uint8(word >> 144));
    }

    function isSet(uint256 word, uint8 flag) internal pure returns (bool) {
        return uint8(word >> 136) & flag != 0;
    }

    function proofSystems(uint256 word) internal pure returns (uint8) {
        return uint8(word >> 128);
    }

    function evidenceBlock(uint256 word) internal pure returns (uint40) {
        return uint40(word >> 88);
    }

    function expiresAt(uint256 word) internal pure returns (uint40) {
        return uint40(word >> 48);
    }

    function record(uint256 word) internal pure returns (uint32) {
        return uint32(word >> 16);
    }

    function generation(uint256 word) internal pure returns (uint8) {
        return uint8(word >> 8);
    }

    function committeeGeneration(uint256 word) internal pure returns (uint8) {
        return uint8(word);
    }

    function withSystems(uint256 word, uint8 systems) internal pure returns (uint256) {
        return (word & ~(uint256(0xff) << 128)) | (uint256(systems) << 128);
    }

    function withExpiry(uint256 word, uint40 expiry) internal pure returns (uint256) {
        return (word & ~(uint256(type(uint40).max) << 48)) | (uint256(expiry) << 48);
    }

    function withRecord(uint256 word, uint32 record_, uint8 generation_) internal pure returns (uint256) {
        return
            (word & ~(uint256(type(uint40).max) << 8)) |
            (uint256(record_) << 16) |
            (uint256(generation_) << 8);
    }

    function withCommitteeGeneration(uint256 word, uint8 generation_) internal pure returns (uint256) {
        return (word & ~uint256(0xff)) | generation_;
    }

    /// @dev A leaf's facts, as the committee alone has proven them.
    function ofCommittee(uint256 word, uint40 expiry, uint8 generation_) internal pure returns (uint256) {
        uint256 rest = (uint256(1) << (128 + uint8(ProofSystem.Committee))) | generation_;
        return (word & ~(uint256(type(uint40).max) << 48)) | (uint256(expiry) << 48) | rest;
    }

    function withDigest(uint256 word) internal pure returns (uint256) {
        return word | (uint256(HAS_DIGEST) << 136);
    }
}
