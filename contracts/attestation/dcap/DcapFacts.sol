// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {PckCa, PlatformTcb} from "../../interfaces/IDcapCollateral.sol";
import {TeeKind} from "../../interfaces/Types.sol";
import {PckCertificate} from "./PckLeaf.sol";

/// @title DcapFacts: all that a platform's first quote proved and that its judgement rests on, in 309 bytes
/// @dev At: 0 TEE (1) ‖ 1 CA (1) ‖ 2 end of the PCK certificate (5) ‖ 7 its serial (20) ‖ 27 FMSPC (6) ‖ 33 PCEID (2)
/// ‖ 35 PCESVN (2) ‖ 37 SGX SVNs (16) ‖ 53 QE MISCSELECT (4) ‖ 57 QE attributes (16) ‖ 73 QE MRSIGNER (32)
/// ‖ 105 QE ISVPRODID (2) ‖ 107 QE ISVSVN (2) ‖ 109 platform id (32) ‖ 141 keccak256 of the signed part of the PCK
/// certificate (32) ‖ 173 TEE_TCB_SVN (16) ‖ 189 MRSIGNERSEAM (48) ‖ 237 SEAMATTRIBUTES (8) ‖ 245 attestation key (64).
/// Numbers are big-endian; TDX fields are zero for SGX. protocol/evidence/dcap/onchain/facts.ts is its twin.
library DcapFacts {
    uint256 internal constant SIZE = 309;
    uint256 private constant SEAM = 189;
    uint256 private constant KEY = 245;

    ///
    /// @param qeReport 384 bytes.
    /// @param body of the quote.
    /// @param key attestation key, 64 bytes.
    function encode(
        TeeKind kind,
        PckCertificate memory leaf,
        bytes calldata qeReport,
        bytes calldata body,
        bytes calldata key
    ) internal pure returns (bytes memory) {
        bool isTd = kind == TeeKind.Tdx;
        return
            bytes.concat(
                abi.encodePacked(uint8(kind), uint8(leaf.ca), leaf.notAfter, uint160(leaf.serial)),
                abi.encodePacked(leaf.sgx.fmspc, leaf.sgx.pceId, leaf.sgx.pceSvn, leaf.sgx.svns),
                abi.encodePacked(qeReport[16:20], qeReport[48:64], qeReport[128:160]),
                abi.encodePacked(_little(qeReport[256:258]), _little(qeReport[258:260])),
                abi.encodePacked(sha256(abi.encodePacked(leaf.sgx.ppid)), leaf.signedHash),
                isTd ? bytes.concat(body[0:16], body[64:120]) : new bytes(72),
                key
            );
    }

    /// @notice What Intel's documents judge.
    function platform(bytes memory facts) internal pure returns (PlatformTcb memory tcb) {
        tcb.tee = kindOf(facts);
        tcb.ca = PckCa(uint8(facts[1]));
        tcb.serial = uint256(_at(facts, 7)) >> 96;
        tcb.fmspc = bytes6(_at(facts, 27));
        tcb.pceId = bytes2(_at(facts, 33));
        tcb.pceSvn = uint16(bytes2(_at(facts, 35)));
        tcb.sgxSvns = bytes16(_at(facts, 37));
        tcb.qeMiscSelect = bytes4(_at(facts, 53));
        tcb.qeAttributes = bytes16(_at(facts, 57));
        tcb.qeMrSigner = _at(facts, 73);
        tcb.qeIsvProdId = uint16(bytes2(_at(facts, 105)));
        tcb.qeIsvSvn = uint16(bytes2(_at(facts, 107)));
        if (tcb.tee == TeeKind.Tdx) {
            tcb.teeTcbSvn = bytes16(_at(facts, 173));
            tcb.seamIdentity = _seamIdentity(facts);
            tcb.seamAttributes = bytes8(_at(facts, 237));
        }
    }

    function kindOf(bytes memory facts) internal pure returns (TeeKind) {
        return TeeKind(uint8(facts[0]));
    }

    function pckNotAfter(bytes memory facts) internal pure returns (uint40) {
        return uint40(bytes5(_at(facts, 2)));
    }

    function platformId(bytes memory facts) internal pure returns (bytes32) {
        return _at(facts, 109);
    }

    function attestationKey(bytes memory facts) internal pure returns (bytes32 x, bytes32 y) {
        return (_at(facts, KEY), _at(facts, KEY + 32));
    }

    /// @notice Whether a TD's report shows the TDX module that these facts were judged with: a host that changed its module
    /// or microcode has other facts, and does not inherit the judgement.
    function isOfModule(bytes memory facts, bytes calldata body) internal pure returns (bool) {
        return
            bytes16(_at(facts, 173)) == bytes16(body[0:16]) &&
            _at(facts, SEAM) == bytes32(body[64:96]) &&
            bytes24(_at(facts, SEAM + 32)) == bytes24(body[96:120]);
    }

    /// @dev keccak256(MRSIGNERSEAM ‖ SEAMATTRIBUTES).
    function _seamIdentity(bytes memory facts) private pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            hash := keccak256(add(facts, add(32, SEAM)), 56)
        }
    }

    /// @dev 32 bytes of the facts. Their length is checked by whoever took them in; no reader asks past it.
    function _at(bytes memory facts, uint256 offset) private pure returns (bytes32 value) {
        assembly ("memory-safe") {
            value := mload(add(add(facts, 32), offset))
        }
    }

    function _little(bytes calldata two) private pure returns (uint16) {
        return uint16(uint8(two[0])) | (uint16(uint8(two[1])) << 8);
    }
}
