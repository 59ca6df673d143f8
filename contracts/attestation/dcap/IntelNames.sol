// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @title IntelNames: root and TCB signer, as keccak256 of their whole names in DER, and the root's key
/// @dev SGX PCK Certificate and CRL Profile Specification §1.3: CN=Intel SGX Root CA, CN=Intel SGX TCB Signing, O=Intel
/// Corporation, L=Santa Clara, ST=CA, C=US. The test vendor's names say what they are (worker/tee/simulator).
library IntelNames {
    bytes32 private constant ROOT = 0x3112c8e9428b5c08824e727e3ea896f3597c8a91caeafe57d64a4bc08df71dfb;
    bytes32 private constant SIGNER = 0x048bd42849dc20c563977be866923795e269396947dfe4773512441b25c9d413;
    bytes32 private constant TEST_ROOT = 0xf88bc129c7735ac421baf71b84fc27c1e25091f91561fac7cd35b7f9b8684ad2;
    bytes32 private constant TEST_SIGNER = 0xaf9d02d63d972f991c44525a0a9143f8d41f769feee09bc9e82d11ef78022da9;

    /// @notice Intel SGX Root CA: the key of the self-signed certificate that Intel publishes with its PCS API v4.
    bytes32 internal constant ROOT_X = 0x0ba9c4c0c0c86193a3fe23d6b02cda10a8bbd4e88e48b4458561a36e705525f5;
    bytes32 internal constant ROOT_Y = 0x67918e2edc88e40d860bd0cc4ee26aacc988e505a953558c453f6b0904ae7394;

    function root(bool simulated) internal pure returns (bytes32) {
        return simulated ? TEST_ROOT : ROOT;
    }

    function signer(bool simulated) internal pure returns (bytes32) {
        return simulated ? TEST_SIGNER : SIGNER;
    }
}
