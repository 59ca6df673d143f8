// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {PlatformTcb} from "../../../interfaces/IDcapCollateral.sol";
import {TcbStatus} from "../../../interfaces/Types.sol";
import {QeIdentityHeader} from "../QeIdentityParser.sol";
import {TcbInfoHeader} from "../TcbInfoParser.sol";
import {TcbParser} from "../TcbParser.sol";
import {TcbRules} from "../TcbRules.sol";

/// @title TcbHarness: lets tests call the libraries that parse and judge collateral, one by one or many at once
contract TcbHarness {
    /// @notice What one of many calls answered: ABI-encoded results, or the error that it reverted with.
    struct Answer {
        bool good;
        bytes data;
    }

    TcbParser private immutable PARSER = new TcbParser();

    /// @notice `gasUsed`: by the call of the parser.
    function parseTcbInfo(
        bytes calldata json
    ) external view returns (TcbInfoHeader memory header, bytes memory blob, uint256 gasUsed) {
        gasUsed = gasleft();
        (header, blob) = PARSER.parseTcbInfo(json);
        gasUsed -= gasleft();
    }

    /// @notice `gasUsed`: by the call of the parser.
    function parseQeIdentity(
        bytes calldata json
    ) external view returns (QeIdentityHeader memory header, bytes memory blob, uint256 gasUsed) {
        gasUsed = gasleft();
        (header, blob) = PARSER.parseQeIdentity(json);
        gasUsed -= gasleft();
    }

    /// @notice `gasUsed`: by the rules alone.
    function judge(
        bytes memory tcbInfo,
        bytes memory qeIdentity,
        PlatformTcb calldata platform
    ) external view returns (TcbStatus status, bytes32 advisoriesDigest, uint256 gasUsed) {
        gasUsed = gasleft();
        (status, advisoriesDigest) = TcbRules.judge(tcbInfo, qeIdentity, platform);
        gasUsed -= gasleft();
    }

    /// @notice `parseTcbInfo` of each; `data` is the blob.
    function parseTcbInfos(bytes[] calldata documents) external view returns (Answer[] memory answers) {
        answers = new Answer[](documents.length);
        for (uint256 i = 0; i < documents.length; ++i) {
            try this.parseTcbInfo(documents[i]) returns (TcbInfoHeader memory, bytes memory blob, uint256) {
                answers[i] = Answer(true, blob);
            } catch (bytes memory reason) {
                answers[i] = Answer(false, reason);
            }
        }
    }

    /// @notice `parseQeIdentity` of each; `data` is the blob.
    function parseQeIdentities(bytes[] calldata documents) external view returns (Answer[] memory answers) {
        answers = new Answer[](documents.length);
        for (uint256 i = 0; i < documents.length; ++i) {
            try this.parseQeIdentity(documents[i]) returns (
                QeIdentityHeader memory,
                bytes memory blob,
                uint256
            ) {
                answers[i] = Answer(true, blob);
            } catch (bytes memory reason) {
                answers[i] = Answer(false, reason);
            }
        }
    }

    /// @notice `judge` of each platform; `data` is status and digest.
    function judgeMany(
        bytes memory tcbInfo,
        bytes memory qeIdentity,
        PlatformTcb[] calldata platforms
    ) external view returns (Answer[] memory answers) {
        answers = new Answer[](platforms.length);
        for (uint256 i = 0; i < platforms.length; ++i) {
            try this.judge(tcbInfo, qeIdentity, platforms[i]) returns (
                TcbStatus status,
                bytes32 digest,
                uint256
            ) {
                answers[i] = Answer(true, abi.encode(status, digest));
            } catch (bytes memory reason) {
                answers[i] = Answer(false, reason);
            }
        }
    }
}
