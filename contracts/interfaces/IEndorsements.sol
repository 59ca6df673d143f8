// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @notice What an expression asks of a node. Numbers are shared with protocol/policy/endorsements.ts.
enum EndorsementOp {
    None,
    AnyOf, //        terms: ids of expressions; one of them endorses
    AllOf, //        terms: ids of expressions; each of them endorses
    Platform, //     one term: a platform id
    Operator, //     one term: an operator's address, left-padded
    PlatformList, // one term: a list that holds the platform id
    OperatorList //  one term: a list that holds the operator
}

/// @notice What a list says of one member.
enum Membership {
    None,
    Listed,
    TakenOff // by its curator: no proof brings it back
}

/// @title Endorsements: which nodes somebody vouches for, as expressions that apps name
/// @notice An expression never changes: its id is keccak256(abi.encode(op, terms)). A list does, by its curator alone: an
/// app that names an expression over a list trusts that curator for it, and no notice binds them.
/// A large list (a registry of platforms that somebody saw in a data centre) is published as one Merkle root, under which
/// whoever needs a member on the chain enters it.
interface IEndorsements {
    event ExpressionDefined(bytes32 indexed id, EndorsementOp op, bytes32[] terms, address actor);
    event ListCreated(bytes32 indexed list, address indexed curator, address actor);
    event ListCurated(bytes32 indexed list, bytes32 indexed member, bool listed, address actor);
    /// @notice Whoever stands under the new root may be entered from now on; who is listed stays so.
    event ListRootChanged(bytes32 indexed list, bytes32 oldRoot, bytes32 newRoot, address actor);
    event CuratorChanged(
        bytes32 indexed list,
        address indexed oldCurator,
        address indexed newCurator,
        address actor
    );

    error BadTermCount(EndorsementOp op, uint256 actual);
    error TermsNotAscending(bytes32 previous, bytes32 term);
    error UnknownExpression(bytes32 id);
    error UnknownList(bytes32 list);
    error BadTerm(EndorsementOp op, bytes32 term);
    error ExpressionTooDeep(uint256 limit, uint256 actual);
    error ExpressionTooLarge(uint256 limit, uint256 actual);
    error NotCurator(address expected, address actual);
    error NotUnderRoot(bytes32 list, bytes32 expected, bytes32 actual);
    error TakenOffList(bytes32 list, bytes32 member);

    /// @notice Defines an expression over ones that are defined already; again changes nothing. AnyOf and AllOf take 1 to
    /// 16 terms, strictly ascending; at most 4 levels and 64 expressions in all.
    function defineExpression(EndorsementOp op, bytes32[] calldata terms) external returns (bytes32 id);
    /// @notice Creates an empty list. `curator` zero is refused.
    function createList(address curator) external returns (bytes32 list);
    /// @notice Adds or removes members. Curator only. One who was taken off (also one who was never on) is not entered by
    /// proof again, whatever the root says; only the curator brings it back.
    function curate(bytes32 list, bytes32[] calldata members, bool listed) external;
    /// @notice Publishes a list as a Merkle root, of leaves keccak256(bytes.concat(keccak256(abi.encode(member)))) and
    /// sorted pairs (OpenZeppelin's merkle-tree over ["bytes32"]); zero: nobody is entered by proof. Curator only.
    /// A new root takes nobody off the list: `curate` does.
    function setRoot(bytes32 list, bytes32 newRoot) external;
    /// @notice Lists a member that stands under the list's root. Anyone may; again changes nothing.
    function enter(bytes32 list, bytes32 member, bytes32[] calldata proof) external;
    /// @notice Hands a list over; to zero, it stays as it is for good. Curator only.
    function setCurator(bytes32 list, address newCurator) external;

    /// @notice Does expression `id` endorse this node? False for an id that nobody has defined.
    /// @param operator zero where it is not known (dstack's boot info): then no operator matches.
    function endorses(bytes32 id, bytes32 platformId, address operator) external view returns (bool);
    function expression(bytes32 id) external view returns (EndorsementOp op, bytes32[] memory terms);
    function curatorOf(bytes32 list) external view returns (address);
    function rootOf(bytes32 list) external view returns (bytes32);
    function isListed(bytes32 list, bytes32 member) external view returns (bool);
}
