// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IApp} from "../../interfaces/IApp.sol";
import {IAppRegistry} from "../../interfaces/IAppRegistry.sol";
import {IAttestationLedger, Image, Leaf} from "../../interfaces/IAttestationLedger.sol";
import {Contradiction, ICommitteeDisputes} from "../../interfaces/ICommitteeDisputes.sol";
import {QuoteResult} from "../../interfaces/IDcapVerifier.sol";
import {INodeRegistry} from "../../interfaces/INodeRegistry.sol";
import {Verdict} from "../../interfaces/Types.sol";
import {Claim, DirectClaim} from "../dcap/DirectClaim.sol";
import {InstanceWord} from "../InstanceWord.sol";

/// @notice What disputes ask of the ledger.
interface IDisputedLedger is IAttestationLedger {
    function appRegistry() external view returns (IAppRegistry);
    function nodeRegistry() external view returns (INodeRegistry);
}

/// @title Contradictions: in what verified evidence and a committee's word of it differ
/// @dev An honest signer's word can never differ in what is compared here, whenever it is compared: each is a property of
/// the evidence itself, or of a registry's entry that never changes.
library Contradictions {
    using InstanceWord for uint256;

    uint256 private constant CLAIM_WORDS = 7;
    /// @dev Compose hash (32) ‖ app id (20) ‖ kind of key provider (1), then its id.
    uint256 private constant LEAST_PREIMAGE = 53;

    function ofVerdict(
        Verdict calldata verdict,
        QuoteResult memory found,
        bytes calldata mrConfigIdPreimage
    ) internal view returns (Contradiction) {
        if (verdict.platformId != found.platformId) return Contradiction.Platform;
        (bool isBound, bytes32 composeHash) = _composeHash(found, mrConfigIdPreimage);
        if (
            verdict.kind != found.kind ||
            verdict.measurementDigest != found.measurementDigest ||
            verdict.pinnedMeasurementDigest != found.pinnedMeasurementDigest ||
            // A verdict on a node speaks of no app, whatever the evidence says.
            (verdict.composeHash != 0 && isBound && verdict.composeHash != composeHash)
        ) return Contradiction.Measurement;
        Claim memory claim;
        claim.isInstance = verdict.composeHash != 0;
        (claim.subject, claim.key) = (verdict.subject, verdict.key);
        claim.evidenceBlock = verdict.evidenceBlock;
        bytes32 bound = DirectClaim.reportDataOf(claim, verdict.consumer, verdict.evidenceBlockHash);
        bool isOtherGpu = verdict.gpuDigest != 0 && verdict.gpuDigest != found.reportDataLow;
        return bound != found.reportDataHigh || isOtherGpu ? Contradiction.Binding : Contradiction.None;
    }

    function ofLeaf(
        IDisputedLedger ledger,
        Leaf calldata leaf,
        QuoteResult memory found,
        bytes calldata mrConfigIdPreimage,
        bytes calldata claimPreimage
    ) internal view returns (Contradiction) {
        uint256 word = uint256(leaf.facts);
        (bytes32 platformId, ) = ledger.nodeRegistry().platformOf(word.node());
        if (platformId != found.platformId) return Contradiction.Platform;
        if (
            word.kind() != found.kind ||
            _isOtherImage(ledger, word.image(), found) ||
            _isOtherRelease(ledger, leaf.app, word.release(), found, mrConfigIdPreimage)
        ) return Contradiction.Measurement;
        bool isOtherGpu = word.isSet(InstanceWord.GPU) && found.reportDataLow == 0;
        return
            _isOtherClaim(address(ledger), leaf, found.reportDataHigh, claimPreimage) || isOtherGpu
                ? Contradiction.Binding
                : Contradiction.None;
    }

    /// @dev An image that nobody has kept says nothing yet.
    function _isOtherImage(
        IDisputedLedger ledger,
        uint32 number,
        QuoteResult memory found
    ) private view returns (bool) {
        Image memory image = ledger.image(number);
        return
            image.measurementDigest != 0 &&
            (image.measurementDigest != found.measurementDigest ||
                image.pinnedMeasurementDigest != found.pinnedMeasurementDigest);
    }

    /// @dev The number of a hash's latest release only grows: one that is lower now than what was signed never was what was
    /// signed. One that is higher may be a later release of the same hash, and says nothing. An address that is no app could
    /// answer anything, and says nothing either.
    function _isOtherRelease(
        IDisputedLedger ledger,
        address app,
        uint32 release,
        QuoteResult memory found,
        bytes calldata mrConfigIdPreimage
    ) private view returns (bool) {
        (bool isBound, bytes32 composeHash) = _composeHash(found, mrConfigIdPreimage);
        return
            isBound && ledger.appRegistry().isApp(app) && IApp(app).releaseOf(composeHash).number < release;
    }

    function _isOtherClaim(
        address ledger,
        Leaf calldata leaf,
        bytes32 reportData,
        bytes calldata preimage
    ) private view returns (bool) {
        if (preimage.length == 0) return false;
        require(
            preimage.length == CLAIM_WORDS * 32 && keccak256(preimage) == reportData,
            ICommitteeDisputes.BadClaimPreimage(reportData, keccak256(preimage))
        );
        // The last word, the block's hash, is what the leaf does not say.
        bytes32 blockHash = bytes32(preimage[192:224]);
        Claim memory claim = Claim({
            isInstance: true,
            subject: leaf.app,
            key: leaf.key,
            evidenceBlock: uint256(leaf.facts).evidenceBlock(),
            osImageHash: 0
        });
        return DirectClaim.reportDataOf(claim, ledger, blockHash) != reportData;
    }

    /// @return isBound whether MRCONFIGID names a compose hash that can be read here. @return composeHash that hash.
    function _composeHash(
        QuoteResult memory found,
        bytes calldata preimage
    ) private pure returns (bool isBound, bytes32 composeHash) {
        (uint256 high, uint256 low) = (uint256(found.mrConfigIdHigh), uint128(found.mrConfigIdLow));
        uint256 version = high >> 248;
        // The digest starts in the second byte: 31 bytes of the first word, one of the second; the rest is zero.
        bytes32 digest = bytes32((high << 8) | (low >> 120));
        if (low & type(uint120).max != 0) return (false, 0);
        if (version == 1) return (true, digest);
        if (version != 2 || preimage.length == 0) return (false, 0);
        require(
            preimage.length >= LEAST_PREIMAGE && keccak256(preimage) == digest,
            ICommitteeDisputes.BadMrConfigIdPreimage(found.mrConfigIdHigh)
        );
        return (true, bytes32(preimage[0:32]));
    }
}
