// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Reason, TcbStatus} from "../interfaces/Types.sol";

/// @title BootReasons: reason code → the string that dstack's callers know, and their TCB status strings → ours
/// @notice Strings that dstack has are byte-exact. protocol/policy/bootInfo.ts holds the same map.
library BootReasons {
    function text(Reason reason) internal pure returns (string memory) {
        if (reason == Reason.Allowed) return "";
        if (reason == Reason.ReleaseNotAllowed) return "Compose hash not allowed";
        if (reason == Reason.NodeNotAllowed) return "Device not allowed";
        if (reason == Reason.TcbStatusNotAllowed) return "TCB status is not up to date";
        if (reason == Reason.AdvisoryNotAllowed) return "TCB advisory not allowed";
        if (reason == Reason.OsImageNotAllowed) return "OS image is not allowed";
        if (reason == Reason.AppNotRegistered) return "App not registered";
        if (reason == Reason.WrongApp) return "App not deployed or invalid address";
        if (reason == Reason.BootInfoNotAccepted) return "Boot info not accepted by this app";
        return "Not allowed";
    }

    /// @notice Unknown for any string that Intel does not use, which every policy denies.
    function statusOf(string calldata status) internal pure returns (TcbStatus) {
        bytes32 digest = keccak256(bytes(status));
        if (digest == keccak256("UpToDate")) return TcbStatus.UpToDate;
        if (digest == keccak256("SWHardeningNeeded")) return TcbStatus.SWHardeningNeeded;
        if (digest == keccak256("ConfigurationNeeded")) return TcbStatus.ConfigurationNeeded;
        if (digest == keccak256("ConfigurationAndSWHardeningNeeded")) {
            return TcbStatus.ConfigurationAndSWHardeningNeeded;
        }
        if (digest == keccak256("OutOfDate")) return TcbStatus.OutOfDate;
        if (digest == keccak256("OutOfDateConfigurationNeeded"))
            return TcbStatus.OutOfDateConfigurationNeeded;
        if (digest == keccak256("Revoked")) return TcbStatus.Revoked;
        return TcbStatus.Unknown;
    }
}
