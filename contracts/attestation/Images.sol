// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IAttestationLedger, Image} from "../interfaces/IAttestationLedger.sol";

/// @title Images: what instances were measured as, kept once for all that were measured alike
abstract contract Images is IAttestationLedger {
    mapping(bytes32 digest => uint32 number) private _numbers;
    mapping(uint32 number => Image measured) private _images;
    uint32 private _imageCount;

    function _keepImage(Image memory measured) internal returns (uint32 number) {
        bytes32 digest = keccak256(abi.encode(measured));
        number = _numbers[digest];
        if (number != 0) return number;
        number = ++_imageCount;
        _numbers[digest] = number;
        _images[number] = measured;
        emit ImageKept(
            number,
            measured.osImageHash,
            measured.measurementDigest,
            measured.pinnedMeasurementDigest,
            measured.advisoriesDigest,
            msg.sender
        );
    }

    function _numberOf(Image memory measured) internal view returns (uint32) {
        return _numbers[keccak256(abi.encode(measured))];
    }

    function _imageOf(uint32 number) internal view returns (Image memory) {
        return _images[number];
    }
}
