// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IDcapVerifier, QuoteResult} from "../../interfaces/IDcapVerifier.sol";
import {TeeKind} from "../../interfaces/Types.sol";

/// @title QuoteReader: the signed part of a quote (header ‖ body), what must hold of it, and what it says
/// @dev Intel SGX ECDSA QuoteLibReference §A.4 (version 3), Intel TDX DCAP Quoting Library API §A.3 (4 and 5).
/// protocol/evidence/dcap/parseQuote.ts and reportPolicy.ts are its twins.
library QuoteReader {
    uint256 internal constant HEADER = 48;
    uint256 internal constant ENCLAVE = 384;
    uint256 private constant TD_10 = 584;
    uint256 private constant TD_15 = 648;
    /// @dev Version, attestation key type 2 (ECDSA P-256) and TEE type, little-endian as in the header.
    uint256 private constant SGX_3 = 0x0300020000000000;
    uint256 private constant TDX_4 = 0x0400020081000000;
    uint256 private constant TDX_5 = 0x0500020081000000;
    /// @dev Body type and size of version 5: 2 is TD 1.0, 3 is TD 1.5.
    uint256 private constant BODY_TD_10 = 0x020048020000;
    uint256 private constant BODY_TD_15 = 0x030088020000;
    bytes16 private constant INTEL = 0x939a7233f79c4ca9940a0db3957f0607;

    /// @dev TD_ATTRIBUTES in the order of their bytes. DEBUG is bit 0. Allowed: LASS 27, SEPT_VE_DISABLE 28, PKS 30, KL 31,
    /// PERFMON 63 (Intel TDX Module ABI); not MIGRATABLE (29): another platform could hold the same TD.
    bytes8 private constant TD_DEBUG = 0x0100000000000000;
    bytes8 private constant TD_ALLOWED = 0x000000d800000080;
    /// @dev Enclave attributes (Intel SDM Vol. 3D §35.7.1): INIT 0 and MODE64BIT 2 must, PROVISIONKEY 4, CET 6, KSS 7 and
    /// AEX-Notify 10 may be set. DEBUG 1 and EINITTOKEN_KEY 5 (a launch enclave) may not.
    bytes8 private constant ENCLAVE_DEBUG = 0x0200000000000000;
    bytes8 private constant ENCLAVE_REQUIRED = 0x0500000000000000;
    bytes8 private constant ENCLAVE_ALLOWED = 0xd504000000000000;
    /// @dev x87 and SSE state are always on (XFAM; XFRM).
    bytes8 private constant X87_AND_SSE = 0x0300000000000000;

    /// @notice The signed part that starts at `pos`, and its body.
    /// @dev Reverts UnsupportedQuote, BadQuote.
    function split(
        bytes calldata quote,
        uint256 pos
    ) internal pure returns (bytes calldata head, bytes calldata body, TeeKind kind) {
        require(quote.length >= pos + HEADER + 6, IDcapVerifier.BadQuote(quote.length));
        uint256 start = uint256(bytes32(quote[pos:pos + 32]));
        uint256 named = start >> 192;
        uint256 skip = HEADER;
        uint256 size = TD_10;
        kind = TeeKind.Tdx;
        if (named == TDX_5) {
            uint256 descriptor = uint48(bytes6(quote[pos + HEADER:pos + HEADER + 6]));
            if (descriptor == BODY_TD_15) size = TD_15;
            else require(descriptor == BODY_TD_10, IDcapVerifier.BadQuote(pos + HEADER));
            skip = HEADER + 6;
        } else if (named == SGX_3) {
            kind = TeeKind.Sgx;
            size = ENCLAVE;
        } else if (named != TDX_4) {
            _refuse(start);
        }
        if (bytes16(uint128(start >> 32)) != INTEL) _refuse(start);
        require(quote.length >= pos + skip + size, IDcapVerifier.BadQuote(quote.length));
        head = quote[pos:pos + skip + size];
        body = head[skip:];
    }

    /// @notice Nobody but the code itself may look into what is attested.
    /// @dev Reverts Debuggable, AttributesNotAllowed,
    /// XfamNotAllowed, ServiceTdBound.
    function requireClosed(TeeKind kind, bytes calldata body) internal pure {
        bool isTd = kind == TeeKind.Tdx;
        bytes8 attributes = bytes8(isTd ? body[120:128] : body[48:56]);
        bytes8 features = bytes8(isTd ? body[128:136] : body[56:64]);
        require(attributes & (isTd ? TD_DEBUG : ENCLAVE_DEBUG) == 0, IDcapVerifier.Debuggable(attributes));
        require(
            attributes & ~(isTd ? TD_ALLOWED : ENCLAVE_ALLOWED) == 0 &&
                (isTd || attributes & ENCLAVE_REQUIRED == ENCLAVE_REQUIRED),
            IDcapVerifier.AttributesNotAllowed(attributes)
        );
        require(features & X87_AND_SSE == X87_AND_SSE, IDcapVerifier.XfamNotAllowed(features));
        // TD 1.5: no service TD may be bound, or it could migrate or inspect this one.
        require(
            body.length != TD_15 || (bytes32(body[600:632]) == 0 && bytes16(body[632:648]) == 0),
            IDcapVerifier.ServiceTdBound()
        );
    }

    /// @notice Whether a quoting enclave's report has the debug attribute.
    function isDebuggable(bytes calldata enclave) internal pure returns (bool) {
        return bytes8(enclave[48:56]) & ENCLAVE_DEBUG != 0;
    }

    /// @notice Fills in what the body says.
    function describe(QuoteResult memory result, bytes calldata body, TeeKind kind) internal pure {
        result.kind = kind;
        if (kind == TeeKind.Sgx) {
            (result.reportDataHigh, result.reportDataLow) = (bytes32(body[320:352]), bytes32(body[352:384]));
            result.measurementDigest = keccak256(body[64:96]);
            result.pinnedMeasurementDigest = keccak256(
                bytes.concat(body[64:96], body[128:160], body[256:260])
            );
            result.measurements = keccak256(body);
            return;
        }
        (result.reportDataHigh, result.reportDataLow) = (bytes32(body[520:552]), bytes32(body[552:584]));
        (result.mrConfigIdHigh, result.mrConfigIdLow) = (bytes32(body[184:216]), bytes16(body[216:232]));
        // MRSEAM to RTMR3, as they stand.
        result.measurements = keccak256(body[16:520]);
        bytes32 image;
        bytes32 pinned;
        // MRTD ‖ RTMR1 ‖ RTMR2 ‖ RTMR0 in memory that nobody else uses: hashed without the last, and whole.
        assembly ("memory-safe") {
            let free := mload(0x40)
            calldatacopy(free, add(body.offset, 136), 48)
            calldatacopy(add(free, 48), add(body.offset, 376), 96)
            calldatacopy(add(free, 144), add(body.offset, 328), 48)
            image := keccak256(free, 144)
            pinned := keccak256(free, 192)
        }
        (result.measurementDigest, result.pinnedMeasurementDigest) = (image, pinned);
    }

    ///
    /// @dev Reverts UnsupportedQuote with what the header says.
    /// @param start its first 32 bytes.
    function _refuse(uint256 start) private pure {
        revert IDcapVerifier.UnsupportedQuote(
            uint16(_little(start >> 240, 2)),
            uint16(_little(start >> 224, 2)),
            uint32(_little(start >> 192, 4)),
            bytes16(uint128(start >> 32))
        );
    }

    /// @dev The lowest `count` bytes in reverse.
    function _little(uint256 value, uint256 count) private pure returns (uint256 reversed) {
        for (uint256 i = 0; i < count; ++i) reversed = (reversed << 8) | ((value >> (8 * i)) & 0xff);
    }
}
