// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IDcapVerifier, QuoteResult} from "../../interfaces/IDcapVerifier.sol";

/// @notice What a direct proof says that its quote is bound to.
struct Claim {
    bool isInstance;
    address subject;
    address key;
    uint64 evidenceBlock;
    bytes32 osImageHash; // instances only
}

/// @title DirectClaim: the prefix of a direct proof, and what the quote must say for it
/// @dev protocol/evidence/reportData.ts and mrConfigId.ts are its twins.
library DirectClaim {
    uint256 private constant NODE = 49;
    uint256 private constant INSTANCE = 82;
    /// @dev Compose hash (32) ‖ app id (20) ‖ kind of key provider (1), then its id.
    uint256 private constant LEAST_PREIMAGE = 53;
    bytes32 private constant NODE_DOMAIN = keccak256("charter.node.v1");
    bytes32 private constant INSTANCE_DOMAIN = keccak256("charter.instance.v1");

    ///
    /// @return claim the fields.
    /// @return preimage of an MRCONFIGID of version 2, else empty.
    /// @return quote the rest.
    /// @dev Reverts BadClaim.
    function read(
        bytes calldata proof
    ) internal pure returns (Claim memory claim, bytes calldata preimage, bytes calldata quote) {
        require(proof.length >= NODE, IDcapVerifier.BadClaim(proof.length));
        uint8 purpose = uint8(proof[0]);
        require(purpose == 1 || purpose == 2, IDcapVerifier.BadClaim(0));
        claim.isInstance = purpose == 2;
        claim.subject = address(bytes20(proof[1:21]));
        claim.key = address(bytes20(proof[21:41]));
        claim.evidenceBlock = uint64(bytes8(proof[41:49]));
        uint256 length = 0;
        uint256 pos = NODE;
        if (claim.isInstance) {
            require(proof.length >= INSTANCE, IDcapVerifier.BadClaim(proof.length));
            claim.osImageHash = bytes32(proof[49:81]);
            length = uint8(proof[81]);
            pos = INSTANCE;
            require(length == 0 || length >= LEAST_PREIMAGE, IDcapVerifier.BadClaim(81));
        }
        require(proof.length >= pos + length, IDcapVerifier.BadClaim(proof.length));
        preimage = proof[pos:pos + length];
        quote = proof[pos + length:];
    }

    /// @notice First half of the report data: what binds the quote to its one use.
    function reportDataOf(
        Claim memory claim,
        address consumer,
        bytes32 evidenceBlockHash
    ) internal view returns (bytes32) {
        return
            keccak256(
                abi.encode(
                    claim.isInstance ? INSTANCE_DOMAIN : NODE_DOMAIN,
                    block.chainid,
                    consumer,
                    claim.subject,
                    claim.key,
                    claim.evidenceBlock,
                    evidenceBlockHash
                )
            );
    }

    /// @notice The compose hash that the platform measured: MRCONFIGID is 0x01 ‖ compose hash, or 0x02 ‖ keccak256(preimage)
    /// with the preimage naming this app; the rest of its 48 bytes is zero.
    /// @dev Reverts ComposeHashNotBound for any other (zero: the host set none; 3: JSON that no contract reads; an enclave).
    function composeHash(
        QuoteResult memory result,
        bytes calldata preimage,
        address app
    ) internal pure returns (bytes32 hash) {
        uint256 high = uint256(result.mrConfigIdHigh);
        uint256 low = uint128(result.mrConfigIdLow);
        uint256 version = high >> 248;
        // The digest starts in the second byte: 31 bytes of the first word, one of the second.
        hash = bytes32((high << 8) | (low >> 120));
        require(
            low & type(uint120).max == 0 && version == (preimage.length == 0 ? 1 : 2),
            IDcapVerifier.ComposeHashNotBound(result.mrConfigIdHigh)
        );
        if (version == 2) {
            require(hash == keccak256(preimage), IDcapVerifier.ComposeHashNotBound(result.mrConfigIdHigh));
            address named = address(bytes20(preimage[32:52]));
            require(named == app, IDcapVerifier.WrongApp(app, named));
            hash = bytes32(preimage[0:32]);
        }
        require(hash != 0, IDcapVerifier.ComposeHashNotBound(result.mrConfigIdHigh));
    }
}
