// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IAdvisorySets} from "../interfaces/IAdvisorySets.sol";

/// @title AdvisorySets
/// @dev Has no owner and no setting: an entry follows from its content.
contract AdvisorySets is IAdvisorySets {
    uint256 private constant MAX_IDS = 64;
    uint256 private constant MAX_LENGTH = 64;

    mapping(bytes32 digest => bytes32[] ids) private _sets;

    /// @inheritdoc IAdvisorySets
    function publish(string[] calldata ids) external returns (bytes32 digest) {
        require(ids.length != 0 && ids.length <= MAX_IDS, BadAdvisoryCount(MAX_IDS, ids.length));
        bytes32[] memory hashes = new bytes32[](ids.length);
        bytes memory joined;
        for (uint256 i = 0; i < ids.length; ++i) {
            _requireId(ids[i]);
            if (i != 0) {
                require(_isBefore(ids[i - 1], ids[i]), AdvisoriesNotAscending(ids[i - 1], ids[i]));
                joined = bytes.concat(joined, ",");
            }
            joined = bytes.concat(joined, bytes(ids[i]));
            hashes[i] = keccak256(bytes(ids[i]));
        }
        digest = keccak256(joined);
        if (_sets[digest].length != 0) return digest;
        _sets[digest] = hashes;
        emit AdvisorySetPublished(digest, ids, msg.sender);
    }

    /// @inheritdoc IAdvisorySets
    function idsOf(bytes32 digest) external view returns (bytes32[] memory) {
        return _sets[digest];
    }

    /// @dev Without this a comma inside an id would give two sets one digest.
    function _requireId(string calldata id) private pure {
        bytes calldata text = bytes(id);
        bool good = text.length != 0 && text.length <= MAX_LENGTH;
        for (uint256 i = 0; good && i < text.length; ++i) {
            bytes1 char = text[i];
            good = (char >= "A" && char <= "Z") || (char >= "0" && char <= "9") || char == "-";
        }
        require(good, BadAdvisoryId(id));
    }

    /// @dev Order of bytes; a prefix comes first. Equal is not before.
    function _isBefore(string calldata a, string calldata b) private pure returns (bool) {
        (bytes calldata x, bytes calldata y) = (bytes(a), bytes(b));
        uint256 length = x.length < y.length ? x.length : y.length;
        for (uint256 i = 0; i < length; ++i) {
            if (x[i] != y[i]) return x[i] < y[i];
        }
        return x.length < y.length;
    }
}
