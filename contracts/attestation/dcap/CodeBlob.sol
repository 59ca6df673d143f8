// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @title CodeBlob: bytes kept as the code of a contract that cannot run
/// @dev Code costs 200 gas a byte once and a few to read, storage 690. The first byte is STOP: a call to it does nothing.
library CodeBlob {
    error BlobNotKept(uint256 length);

    /// @dev EIP-170, less the first byte.
    uint256 internal constant MOST = 24_575;

    function keep(bytes memory data) internal returns (address blob) {
        // Else the attempt would use up all gas.
        require(data.length <= MOST, BlobNotKept(data.length));
        // PUSH2 length+1, DUP1, PUSH1 10, RETURNDATASIZE, CODECOPY, RETURNDATASIZE, RETURN, then the code: STOP ‖ data.
        bytes memory init = abi.encodePacked(hex"61", uint16(data.length + 1), hex"80600a3d393df300", data);
        assembly ("memory-safe") {
            blob := create(0, add(init, 32), mload(init))
        }
        require(blob != address(0), BlobNotKept(data.length));
    }

    /// @return data empty for no blob.
    function read(address blob) internal view returns (bytes memory data) {
        if (blob == address(0)) return data;
        assembly ("memory-safe") {
            let length := sub(extcodesize(blob), 1)
            data := mload(0x40)
            mstore(data, length)
            extcodecopy(blob, add(data, 32), 1, length)
            mstore(0x40, add(add(data, 32), and(add(length, 31), not(31))))
        }
    }
}
