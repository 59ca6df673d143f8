// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

import {ICommitteeVerifier} from "../../interfaces/ICommitteeVerifier.sol";
import {Verdict} from "../../interfaces/Types.sol";

/// @title CommitteeDigests: what a committee signs
/// @dev protocol/session/domains.ts holds the same types.
abstract contract CommitteeDigests is ICommitteeVerifier, EIP712 {
    bytes32 private constant VERDICT_TYPEHASH = keccak256(
        "Verdict(address consumer,address subject,address key,uint64 evidenceBlock,bytes32 evidenceBlockHash,"
        "bytes32 platformId,bytes32 composeHash,bytes32 osImageHash,bytes32 measurementDigest,"
        "bytes32 pinnedMeasurementDigest,uint8 kind,uint8 status,bytes32 advisoriesDigest,bytes32 evidenceDigest,"
        "bytes32 gpuDigest,uint40 validUntil,bool simulated)"
    );
    bytes32 private constant BATCH_TYPEHASH = keccak256(
        "Batch(address ledger,bytes32 root,uint32 count,uint40 validUntil,uint64 minBlock,bytes32 blockHash)"
    );

    /// @inheritdoc ICommitteeVerifier
    function verdictDigest(Verdict memory verdict) public view returns (bytes32) {
        // Every member of Verdict is a static 32-byte word, so its ABI encoding is EIP-712's encodeData.
        return _hashTypedDataV4(keccak256(abi.encode(VERDICT_TYPEHASH, verdict)));
    }

    /// @inheritdoc ICommitteeVerifier
    function batchDigest(
        address ledger,
        bytes32 root,
        uint32 count,
        uint40 validUntil,
        uint64 minBlock,
        bytes32 blockHash
    ) public view returns (bytes32) {
        return
            _hashTypedDataV4(
                keccak256(abi.encode(BATCH_TYPEHASH, ledger, root, count, validUntil, minBlock, blockHash))
            );
    }
}
