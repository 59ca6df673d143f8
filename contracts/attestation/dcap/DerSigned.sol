// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IDcapVerifier} from "../../interfaces/IDcapVerifier.sol";
import {DerSpan} from "./DerSpan.sol";

/// @notice What every signed structure of X.509 is: a signed part, and an ECDSA signature over its SHA-256.
struct Signed {
    uint256 base; //    where it starts in call data
    uint256 content; // where the content of the signed part starts
    uint256 tbsEnd; //  where the signed part ends
    bytes32 digest; //  SHA-256 of the signed part
    bytes32 r;
    bytes32 s;
}

/// @title DerSigned: SEQUENCE { signed part, AlgorithmIdentifier, BIT STRING }, in strict DER, for certificates and CRLs
library DerSigned {
    /// @dev AlgorithmIdentifier of ecdsa-with-SHA256 (RFC 5758 §3.2): it has one encoding in DER.
    uint256 internal constant ECDSA_SHA256 = 0x300a06082a8648ce3d040302;

    /// @dev Reverts BadCertificate(offset). The signature is not verified here.
    function read(bytes calldata der, uint256 most) internal pure returns (Signed memory signed) {
        uint256 base;
        // Where it lies in call data: every offset below counts from there.
        assembly ("memory-safe") {
            base := der.offset
        }
        uint256 end = der.length;
        require(end <= most, IDcapVerifier.BadCertificate(end));
        (uint256 start, uint256 next) = DerSpan.enter(base, 0, end, 0x30);
        require(next == end, IDcapVerifier.BadCertificate(next));
        signed.base = base;
        (signed.content, signed.tbsEnd) = DerSpan.enter(base, start, end, 0x30);
        signed.digest = sha256(der[start:signed.tbsEnd]);
        _readSignature(signed, end);
    }

    /// @dev The algorithm inside must be the one outside; there is one that counts.
    /// @return where it ends.
    function skipAlgorithm(uint256 base, uint256 pos) internal pure returns (uint256) {
        require(DerSpan.word(base, pos) >> 160 == ECDSA_SHA256, IDcapVerifier.BadCertificate(pos));
        return pos + 12;
    }

    /// @dev Extension ::= SEQUENCE { id, critical DEFAULT FALSE, OCTET STRING }; what is critical must be understood.
    /// @param understood bit n: 2.5.29.n.
    function extension(
        uint256 base,
        uint256 pos,
        uint256 end,
        uint256 understood
    ) internal pure returns (bytes32 id, uint256 value, uint256 next) {
        (pos, next) = DerSpan.enter(base, pos, end, 0x30);
        (id, pos) = DerSpan.objectId(base, pos, next);
        // DER: the default FALSE is never written, and TRUE is 0xff.
        if (DerSpan.word(base, pos) >> 232 == 0x0101ff) {
            require(
                uint256(id) < 128 && (understood >> uint256(id)) & 1 == 1,
                IDcapVerifier.BadCertificate(pos)
            );
            pos += 3;
        }
        uint256 valueEnd;
        (value, valueEnd) = DerSpan.enter(base, pos, next, 0x04);
        require(valueEnd == next, IDcapVerifier.BadCertificate(valueEnd));
    }

    function _readSignature(Signed memory signed, uint256 end) private pure {
        uint256 base = signed.base;
        (uint256 bits, uint256 next) = DerSpan.enter(base, skipAlgorithm(base, signed.tbsEnd), end, 0x03);
        require(next == end && DerSpan.word(base, bits) >> 248 == 0, IDcapVerifier.BadCertificate(bits));
        uint256 pos;
        (pos, next) = DerSpan.enter(base, bits + 1, end, 0x30);
        require(next == end, IDcapVerifier.BadCertificate(next));
        uint256 number;
        (number, pos) = DerSpan.unsigned(base, pos, end, 32);
        signed.r = bytes32(number);
        (number, pos) = DerSpan.unsigned(base, pos, end, 32);
        signed.s = bytes32(number);
        require(pos == end, IDcapVerifier.BadCertificate(pos));
    }
}
