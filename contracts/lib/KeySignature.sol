// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @title KeySignature: whose ECDSA signature this is
/// @dev OpenZeppelin's rules (ECDSA.tryRecoverCalldata), without its error codes and copies: whoever enters an instance or
/// a node pays for each step.
library KeySignature {
    /// @dev Half of secp256k1's order: of the two values of s that fit, the lower one counts (EIP-2).
    uint256 private constant HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;

    /// @notice Whether the key of `account` signed `digest`: r ‖ s ‖ v, 65 bytes. Nobody has the key of address zero.
    function isOf(
        address account,
        bytes32 digest,
        bytes calldata signature
    ) internal view returns (bool good) {
        uint256 answer = _recover(digest, signature);
        assembly ("memory-safe") {
            good := eq(answer, account)
        }
    }

    /// @notice The account whose key signed `digest`; zero where nobody's did.
    function signerOf(bytes32 digest, bytes calldata signature) internal view returns (address signer) {
        uint256 answer = _recover(digest, signature);
        return answer == type(uint256).max ? address(0) : address(uint160(answer));
    }

    /// @notice The same for a compact signature (EIP-2098): r, and s with y's parity in its highest bit.
    function isOf(address account, bytes32 digest, bytes32 r, bytes32 vs) internal view returns (bool good) {
        uint256 answer = _recover(digest, r, vs);
        assembly ("memory-safe") {
            good := eq(answer, account)
        }
    }

    /// @notice The same for a compact signature.
    function signerOf(bytes32 digest, bytes32 r, bytes32 vs) internal view returns (address signer) {
        uint256 answer = _recover(digest, r, vs);
        return answer == type(uint256).max ? address(0) : address(uint160(answer));
    }

    /// @return answer an account, or the highest number, which is none.
    function _recover(bytes32 digest, bytes calldata signature) private view returns (uint256 answer) {
        if (signature.length != 65) return type(uint256).max;
        return _recover(digest, bytes32(signature[0:32]), bytes32(signature[32:64]), uint8(signature[64]));
    }

    function _recover(bytes32 digest, bytes32 r, bytes32 vs) private view returns (uint256 answer) {
        unchecked {
            return _recover(digest, r, (vs << 1) >> 1, 27 + (uint256(vs) >> 255));
        }
    }

    function _recover(bytes32 digest, bytes32 r, bytes32 s, uint256 v) private view returns (uint256 answer) {
        assembly ("memory-safe") {
            // Behind the free memory pointer nothing is kept. ECRECOVER (1) refuses r and s of zero or beyond the order and
            // any v but 27 and 28, and answers nothing then: what it would write to stays as it was.
            let buffer := mload(0x40)
            mstore(buffer, digest)
            mstore(add(buffer, 32), v)
            mstore(add(buffer, 64), r)
            mstore(add(buffer, 96), s)
            mstore(0x00, not(0))
            pop(staticcall(gas(), 1, buffer, 128, 0x00, 32))
            answer := or(mload(0x00), sub(0, gt(s, HALF_ORDER)))
        }
    }
}
