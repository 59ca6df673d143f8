// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {FamilyStanding, Judgement, PckCa, PlatformTcb} from "../../../interfaces/IDcapCollateral.sol";
import {TcbStatus, TeeKind} from "../../../interfaces/Types.sol";
import {QeIdentityParser} from "../QeIdentityParser.sol";
import {TcbInfoParser} from "../TcbInfoParser.sol";
import {TcbRules} from "../TcbRules.sol";

/// @title CollateralDouble: collateral whose answers a test sets, for what real collateral would take days to show
/// @dev Of IDcapCollateral it has what DcapVerifier calls.
contract CollateralDouble {
    bool public immutable simulated;
    Judgement private _judgement;
    FamilyStanding private _standing;
    bytes private _refusal;
    mapping(PckCa ca => bytes32[2] key) private _caKeys;
    /// @dev TCB info and QE identity, packed.
    mapping(TeeKind tee => bytes[2] blobs) private _documents;
    mapping(PckCa ca => mapping(uint32 tag => bool isListed)) private _tags;

    constructor(bool simulated_) {
        simulated = simulated_;
    }

    function setKey(PckCa ca, bytes32 x, bytes32 y) external {
        _caKeys[ca] = [x, y];
    }

    /// @notice What `judge` answers, and the standing of every family with it.
    function setJudgement(
        TcbStatus status,
        bytes32 advisoriesDigest,
        uint40 validUntil,
        uint32 family,
        uint32 epoch
    ) external {
        _judgement = Judgement(status, advisoriesDigest, validUntil, family, epoch);
        _standing = FamilyStanding(epoch, uint40(block.timestamp), validUntil);
        delete _refusal;
    }

    /// @notice What `judge` reverts with from now on.
    function setRefusal(bytes calldata refusal, uint32 epoch, uint40 validUntil) external {
        _refusal = refusal;
        _standing = FamilyStanding(epoch, uint40(block.timestamp), validUntil);
    }

    /// @notice From now on documents judge platforms of this kind; dates, family and epoch stay as set.
    function setDocuments(TeeKind tee, bytes calldata tcbInfo, bytes calldata qeIdentity) external {
        (, bytes memory platform) = TcbInfoParser.parse(tcbInfo);
        (, bytes memory enclave) = QeIdentityParser.parse(qeIdentity);
        _documents[tee] = [platform, enclave];
    }

    function listTag(PckCa ca, uint32 tag) external {
        _tags[ca][tag] = true;
    }

    function judge(PlatformTcb calldata platform) external view returns (Judgement memory judgement) {
        bytes memory refusal = _refusal;
        if (refusal.length != 0) {
            assembly ("memory-safe") {
                revert(add(refusal, 32), mload(refusal))
            }
        }
        judgement = _judgement;
        bytes[2] storage documents = _documents[platform.tee];
        if (documents[0].length != 0) {
            (judgement.status, judgement.advisoriesDigest) = TcbRules.judge(
                documents[0],
                documents[1],
                platform
            );
        }
    }

    function familyStanding(uint32) external view returns (FamilyStanding memory) {
        return _standing;
    }

    function caKey(PckCa ca) external view returns (bytes32 x, bytes32 y) {
        return (_caKeys[ca][0], _caKeys[ca][1]);
    }

    function isTagRevoked(PckCa ca, uint32 tag) external view returns (bool) {
        return _tags[ca][tag];
    }
}
