// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {PckCa} from "../../interfaces/IDcapCollateral.sol";

/// @title PckNames: the whole names that stand in PCK certificates, as keccak256 of their DER
/// @dev The profile (SGX PCK Certificate and CRL Profile Specification §1.3.5) fixes every attribute: CN, O=Intel
/// Corporation, L=Santa Clara, ST=CA, C=US. The test vendor's names say what they are (worker/tee/simulator).
library PckNames {
    bytes32 private constant PLATFORM = 0xfc023d85bd2073504d59f24a7ab325cd1841e2aa6eb6f25512665d57128d616c;
    bytes32 private constant PROCESSOR = 0x3e8717c2b8859b5d5e0c466dea5b49feedd67165b9ff9890405e87b6db3d2827;
    bytes32 private constant PCK = 0x1d435d94385294e93f12fbdc7f8d92f361ea0fe81070c14312155af11b5fa596;
    bytes32 private constant TEST_PLATFORM =
        0x0a5155470367b62e93aaad688af922d31b724bc19b1f8ec531c5be76269130ca;
    bytes32 private constant TEST_PROCESSOR =
        0xab28f9837ae44ea41d2e24790d3506b34d2b0f1a9f1d68cd21ec4030a4b5beb8;
    bytes32 private constant TEST_PCK = 0x307260a6fb43218c2d54cfebad7c47731b22ee44f59851fc3b14c997856a74c8;

    /// @return the CA of that name, None where it is neither's.
    function issuer(bytes32 name, bool simulated) internal pure returns (PckCa) {
        if (name == (simulated ? TEST_PLATFORM : PLATFORM)) return PckCa.Platform;
        if (name == (simulated ? TEST_PROCESSOR : PROCESSOR)) return PckCa.Processor;
        return PckCa.None;
    }

    function isSubject(bytes32 name, bool simulated) internal pure returns (bool) {
        return name == (simulated ? TEST_PCK : PCK);
    }
}
