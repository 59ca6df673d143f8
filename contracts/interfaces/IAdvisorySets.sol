// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @title AdvisorySets: what a verdict's advisories digest stands for
/// @notice A verdict carries one digest for all its advisories; an app accepts advisories one by one. Whoever knows a set
/// publishes it once; its content decides its digest, so nobody can publish a wrong one.
interface IAdvisorySets {
    event AdvisorySetPublished(bytes32 indexed digest, string[] ids, address actor);

    error BadAdvisoryId(string id);
    error AdvisoriesNotAscending(string previous, string id);
    error BadAdvisoryCount(uint256 limit, uint256 actual);

    /// @notice Publishes a set: 1 to 64 ids of 1 to 64 characters A-Z, 0-9 and "-", strictly ascending by bytes.
    /// Publishing again changes nothing.
    /// @return digest keccak256 of the ids joined by ",": `advisoriesDigest` of a verdict.
    function publish(string[] calldata ids) external returns (bytes32 digest);
    /// @notice keccak256 of each id of a set; empty when nobody has published it.
    function idsOf(bytes32 digest) external view returns (bytes32[] memory);
}
