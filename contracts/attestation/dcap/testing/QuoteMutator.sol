// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IDcapVerifier, QuoteResult} from "../../../interfaces/IDcapVerifier.sol";

/// @title QuoteMutator: asks a verifier about many changed copies of one quote in one call
contract QuoteMutator {
    /// @dev A verifier that only ran out of gas would count as one that refused.
    uint256 private constant ENOUGH_GAS = 1_000_000;

    error NotEnoughGas();

    /// @param masks what each byte from `from` on is changed by, one after the other.
    ///
    /// @return accepted offsets where a changed copy was accepted.
    /// @return tried how many were asked about.
    function flip(
        IDcapVerifier verifier,
        bytes memory quote,
        uint256 from,
        bytes calldata masks
    ) external returns (uint256[] memory accepted, uint256 tried) {
        accepted = new uint256[](masks.length);
        uint256 count = 0;
        for (uint256 i = 0; i < masks.length; ++i) {
            bytes1 kept = quote[from + i];
            quote[from + i] = kept ^ masks[i];
            require(gasleft() > ENOUGH_GAS, NotEnoughGas());
            try verifier.verifyQuote(quote) {
                accepted[count++] = from + i;
            } catch {
                ++tried;
            }
            quote[from + i] = kept;
        }
        tried += count;
        assembly ("memory-safe") {
            mstore(accepted, count)
        }
    }

    ///
    /// @return accepted for each quote: 0 refused, else 1 + its status.
    /// @return digests of their advisories, and of all else that a committee's word of them is compared with.
    /// @return errors selectors of what the others were refused with.
    /// @return timestamp when they were asked about.
    function verifyMany(
        IDcapVerifier verifier,
        bytes[] calldata quotes
    )
        external
        returns (
            uint256[] memory accepted,
            bytes32[] memory digests,
            bytes4[] memory errors,
            uint256 timestamp
        )
    {
        timestamp = block.timestamp;
        accepted = new uint256[](quotes.length);
        digests = new bytes32[](quotes.length);
        errors = new bytes4[](quotes.length);
        for (uint256 i = 0; i < quotes.length; ++i) {
            require(gasleft() > ENOUGH_GAS, NotEnoughGas());
            try verifier.verifyQuote(quotes[i]) returns (QuoteResult memory result) {
                (accepted[i], digests[i]) = (1 + uint256(result.status), _digestOf(result));
            } catch (bytes memory error) {
                errors[i] = bytes4(error);
            }
        }
    }

    function _digestOf(QuoteResult memory result) private pure returns (bytes32) {
        return
            keccak256(
                abi.encode(
                    result.advisoriesDigest,
                    result.kind,
                    result.platformId,
                    result.evidenceDigest,
                    result.measurementDigest,
                    result.pinnedMeasurementDigest,
                    result.reportDataHigh,
                    result.reportDataLow
                )
            );
    }
}
