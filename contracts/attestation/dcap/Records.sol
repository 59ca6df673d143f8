// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {PckCa} from "../../interfaces/IDcapCollateral.sol";
import {TcbStatus} from "../../interfaces/Types.sol";

/// @notice What is kept of a platform.
struct PlatformRecord {
    bytes20 commitment; //  to its facts
    uint32 tag; //          of its PCK certificate's serial (Serials): revocation is seen without the facts
    uint32 epoch; //        of its family when it was judged
    uint24 family;
    TcbStatus status; //    as judged; Unknown: refused
    PckCa ca;
    bool hasAdvisories;
}

/// @title Records: a platform's record in one storage slot
/// @dev From the top: commitment 160 ‖ tag 32 ‖ epoch 32 ‖ family 24 ‖ CA 2, advisories 1, status 3, two bits unused. A
/// slot is never zero: its commitment is a hash.
library Records {
    /// @notice The truncation leaves 160 bits against a second preimage. A collision does not help: one side of it would
    /// have to be facts that Intel's certificates vouch for, and each of those costs an attacker a quote of real hardware.
    /// @dev The facts carry the attestation key and the hash of the PCK certificate.
    function commitmentOf(bytes memory facts) internal pure returns (bytes20) {
        return bytes20(keccak256(facts));
    }

    function pack(PlatformRecord memory record) internal pure returns (uint256) {
        return
            (uint256(uint160(record.commitment)) << 96) |
            (uint256(record.tag) << 64) |
            _judgement(record.family, record.epoch, record.status, record.hasAdvisories) |
            (uint256(record.ca) << 4);
    }

    /// @notice The same record with another judgement.
    function judged(
        uint256 packed,
        uint24 newFamily,
        uint32 newEpoch,
        TcbStatus newStatus,
        bool withAdvisories
    ) internal pure returns (uint256) {
        uint256 kept = (packed & ~uint256(type(uint64).max)) | (packed & 0x30);
        return kept | _judgement(newFamily, newEpoch, newStatus, withAdvisories);
    }

    function commitment(uint256 packed) internal pure returns (bytes20) {
        return bytes20(uint160(packed >> 96));
    }

    function tag(uint256 packed) internal pure returns (uint32) {
        return uint32(packed >> 64);
    }

    function epoch(uint256 packed) internal pure returns (uint32) {
        return uint32(packed >> 32);
    }

    function family(uint256 packed) internal pure returns (uint24) {
        return uint24(packed >> 8);
    }

    function ca(uint256 packed) internal pure returns (PckCa) {
        return PckCa((packed >> 4) & 3);
    }

    function hasAdvisories(uint256 packed) internal pure returns (bool) {
        return packed & 8 != 0;
    }

    function status(uint256 packed) internal pure returns (TcbStatus) {
        return TcbStatus(packed & 7);
    }

    function _judgement(
        uint24 newFamily,
        uint32 newEpoch,
        TcbStatus newStatus,
        bool withAdvisories
    ) private pure returns (uint256) {
        return
            (uint256(newEpoch) << 32) |
            (uint256(newFamily) << 8) |
            (withAdvisories ? 8 : 0) |
            uint256(newStatus);
    }
}
