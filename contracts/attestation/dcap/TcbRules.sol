// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IDcapCollateral, PlatformTcb} from "../../interfaces/IDcapCollateral.sol";
import {TcbStatus, TeeKind} from "../../interfaces/Types.sol";
import {AdvisoryUnion} from "./AdvisoryUnion.sol";
import {TcbBlob} from "./TcbBlob.sol";

/// @title TcbRules: what Intel's documents say of a platform
/// @notice The rules of protocol/evidence/dcap/judgeTcb.ts, over the blobs that TcbBlob describes.
/// @dev Blobs are those of our parsers, so their addresses are not checked again.
library TcbRules {
    /// @dev Every second byte, and the bit above it.
    uint256 private constant EVEN = 0x00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff;
    uint256 private constant ABOVE = 0x0100010001000100010001000100010001000100010001000100010001000100;

    /// @notice Judges platform, quoting enclave and (TDX) module. Reverts where they are not covered or are not Intel's.
    /// @return status converged @return advisoriesDigest of the union of all advisories; zero when there are none
    function judge(
        bytes memory tcbInfo,
        bytes memory qeIdentity,
        PlatformTcb calldata platform
    ) internal pure returns (TcbStatus status, bytes32 advisoriesDigest) {
        uint256 qe = _judgeQe(qeIdentity, platform);
        uint256 header = _requireFamily(tcbInfo, platform);
        bool isTdx = platform.tee == TeeKind.Tdx;
        // An SGX platform has no module; status UpToDate and no advisories change nothing.
        uint256 module = isTdx ? _judgeModule(tcbInfo, header, platform) : uint256(TcbStatus.UpToDate) << 8;
        uint256 level = _platformLevel(tcbInfo, header, platform, isTdx);
        status = converge(TcbStatus(level >> 8), TcbStatus(qe >> 8), TcbStatus(module >> 8));
        advisoriesDigest = AdvisoryUnion.digest(tcbInfo, level & 0xff, module & 0xff, qeIdentity, qe & 0xff);
    }

    /// @notice Intel's convergence: something out of date makes the whole out of date, something revoked revoked.
    function converge(TcbStatus platform, TcbStatus qe, TcbStatus module) internal pure returns (TcbStatus) {
        if (platform == TcbStatus.Revoked || qe == TcbStatus.Revoked || module == TcbStatus.Revoked) {
            return TcbStatus.Revoked;
        }
        // QE and module levels know UpToDate, OutOfDate and Revoked; anything else is treated as out of date.
        if (qe == TcbStatus.UpToDate && module == TcbStatus.UpToDate) return platform;
        bool needsConfiguration =
            platform == TcbStatus.ConfigurationNeeded ||
                platform == TcbStatus.ConfigurationAndSWHardeningNeeded ||
                platform == TcbStatus.OutOfDateConfigurationNeeded;
        return needsConfiguration ? TcbStatus.OutOfDateConfigurationNeeded : TcbStatus.OutOfDate;
    }

    /// @return status (1) ‖ advisories (1), as do the other levels below.
    function _judgeQe(bytes memory blob, PlatformTcb calldata platform) private pure returns (uint256) {
        uint256 header = _word(blob, 0);
        uint256 attributes = _word(blob, 32);
        bool matches =
            header >> 248 == uint256(platform.tee) &&
                uint16(header >> 232) == platform.qeIsvProdId &&
                uint32(platform.qeMiscSelect) & uint32(header >> 160) == uint32(header >> 192) &&
                uint128(platform.qeAttributes) & uint128(attributes) == attributes >> 128 &&
                platform.qeMrSigner == bytes32(_word(blob, 64));
        require(matches, IDcapCollateral.QeIdentityMismatch());
        uint256 level = _isvLevel(blob, TcbBlob.QE_LEVELS, uint8(header >> 224), platform.qeIsvSvn);
        require(level != 0, IDcapCollateral.QeTcbNotCovered(platform.qeIsvSvn));
        return level;
    }

    function _requireFamily(
        bytes memory blob,
        PlatformTcb calldata platform
    ) private pure returns (uint256 header) {
        header = _word(blob, 0);
        uint256 family = (uint256(platform.tee) << 48) | uint48(platform.fmspc);
        require(
            header >> 200 == family,
            IDcapCollateral.CollateralMissing(platform.tee, platform.fmspc, platform.ca)
        );
        bytes2 pceId = bytes2(uint16(header >> 184));
        require(pceId == platform.pceId, IDcapCollateral.PceIdMismatch(pceId, platform.pceId));
    }

    /// @dev The module's version is TEE TCB SVN byte 1, its SVN byte 0. Version 0 has no identity of its own: the
    /// document's `tdxModule` is, and the platform's level judges its SVN.
    function _judgeModule(
        bytes memory blob,
        uint256 header,
        PlatformTcb calldata platform
    ) private pure returns (uint256 level) {
        uint8 version = uint8(platform.teeTcbSvn[1]);
        uint256 here = TcbBlob.HEADER;
        uint256 levels = 0;
        if (version != 0) {
            (here, levels) = _findModule(blob, header, version);
            require(here != 0, IDcapCollateral.ModuleIdentityMismatch(version));
        }
        uint256 masked = _word(blob, here + 48);
        bool matches =
            uint64(platform.seamAttributes) & uint64(masked >> 128) == masked >> 192 &&
                platform.seamIdentity == _seamIdentity(blob, here, platform.seamAttributes);
        require(matches, IDcapCollateral.ModuleIdentityMismatch(version));
        if (version == 0) return uint256(TcbStatus.UpToDate) << 8;
        uint8 svn = uint8(platform.teeTcbSvn[0]);
        level = _isvLevel(blob, here + TcbBlob.MODULE, levels, svn);
        require(level != 0, IDcapCollateral.ModuleTcbNotCovered(version, svn));
    }

    /// @dev keccak256(the identity's MRSIGNERSEAM ‖ the platform's attributes): equal to the platform's own if the
    /// signers are.
    function _seamIdentity(
        bytes memory blob,
        uint256 here,
        bytes8 attributes
    ) private pure returns (bytes32 identity) {
        assembly ("memory-safe") {
            let signer := add(add(blob, 32), here)
            let free := mload(0x40)
            mcopy(free, signer, 48)
            mstore(add(free, 48), attributes)
            identity := keccak256(free, 56)
        }
    }

    /// @return here address of the identity's signer; 0 where there is none of this version
    /// @return levels count of its ISV levels, which follow it
    function _findModule(
        bytes memory blob,
        uint256 header,
        uint256 version
    ) private pure returns (uint256 here, uint256 levels) {
        unchecked {
            here = TcbBlob.HEADER + TcbBlob.MODULE;
            for (uint256 left = uint8(header >> 160); left != 0; --left) {
                uint256 word = _word(blob, here);
                levels = uint8(word >> 240);
                if (word >> 248 == version) return (here + 2, levels);
                here += 2 + TcbBlob.MODULE + levels * TcbBlob.ISV_LEVEL;
            }
        }
        return (0, 0);
    }

    /// @dev First level whose ISV SVN is reached; 0 for none, as no level's status is.
    function _isvLevel(
        bytes memory blob,
        uint256 here,
        uint256 count,
        uint256 svn
    ) private pure returns (uint256) {
        unchecked {
            for (uint256 end = here + count * TcbBlob.ISV_LEVEL; here != end; here += TcbBlob.ISV_LEVEL) {
                uint256 level = _word(blob, here) >> 224;
                if (svn >= level >> 16) return uint16(level);
            }
        }
        return 0;
    }

    /// @dev First level whose SGX components, PCESVN and TDX components are all reached. Where the module has a version,
    /// TDX bytes 0 and 1 speak of the module, which its own identity judged, and count as reached.
    function _platformLevel(
        bytes memory blob,
        uint256 header,
        PlatformTcb calldata platform,
        bool isTdx
    ) private pure returns (uint256 level) {
        uint256 svns = uint256(uint128(platform.sgxSvns)) << 128;
        if (isTdx) svns |= uint128(platform.teeTcbSvn);
        if (isTdx && uint8(platform.teeTcbSvn[1]) != 0) svns |= 0xffff << 112;
        uint256 pceSvn = platform.pceSvn;
        uint256 here = uint16(header >> 144);
        uint256 count = uint16(header >> 168);
        assembly ("memory-safe") {
            here := add(add(blob, 32), here)
            // 32 comparisons at once: bytes in two lots of 16, each with 0x100 added. Subtracting a level's bytes leaves
            // that bit exactly where the platform's byte is not below the level's, and no lane borrows from the next.
            let even := or(and(svns, EVEN), ABOVE)
            let odd := or(and(shr(8, svns), EVEN), ABOVE)
            for {
                let end := add(here, mul(count, 36))
            } lt(here, end) {
                here := add(here, 36)
            } {
                let least := mload(here)
                let reached := and(sub(even, and(least, EVEN)), sub(odd, and(shr(8, least), EVEN)))
                let rest := shr(224, mload(add(here, 32)))
                if and(eq(and(reached, ABOVE), ABOVE), iszero(gt(shr(16, rest), pceSvn))) {
                    level := and(rest, 0xffff)
                    break
                }
            }
        }
        require(level != 0, IDcapCollateral.PlatformTcbNotCovered());
    }

    function _word(bytes memory blob, uint256 here) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(add(add(blob, 32), here))
        }
    }
}
