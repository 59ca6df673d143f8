// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IVerdictConsumer} from "./IVerdictConsumer.sol";
import {ProofSystem, TcbStatus, TeeKind} from "./Types.sol";

/// @notice One registered physical platform.
struct Node {
    address operator;
    bytes32 platformId;
    address key; //         secp256k1 address that the node's evidence binds
    TeeKind kind;
    TcbStatus status; //    when it was attested; a record's standing may say otherwise since
    bool simulated;
    bool retired;
    bool invalidated; //    until it is renewed
    uint40 evidenceBlock;
    uint40 attestedAt;
    uint40 expiresAt; //    from here on the node is suspended until renewed
    uint32 record; //       of the Direct verifier; 0: proven by another system
}

/// @title NodeRegistry: physical platforms and who operates them
interface INodeRegistry is IVerdictConsumer {
    event NodeRegistered(
        uint32 indexed number,
        bytes32 indexed platformId,
        address indexed operator,
        address key,
        TeeKind kind,
        TcbStatus status,
        bool simulated,
        uint32 record,
        bytes32 evidenceDigest,
        uint64 evidenceBlock,
        uint40 attestedAt,
        uint40 expiresAt,
        address actor
    );
    event NodeRenewed(
        uint32 indexed number,
        TcbStatus oldStatus,
        TcbStatus newStatus,
        uint32 record,
        bytes32 evidenceDigest,
        uint64 evidenceBlock,
        uint40 attestedAt,
        uint40 oldExpiresAt,
        uint40 expiresAt,
        address actor
    );
    event NodeRetired(
        uint32 indexed number,
        bytes32 indexed platformId,
        address indexed operator,
        address actor
    );
    /// @notice Collateral of now refuses the platform; it may be renewed when that changes.
    event NodeInvalidated(uint32 indexed number, uint32 record, TcbStatus status, address actor);
    event OperatorListChanged(bool oldRequired, bool newRequired, address actor);
    event OperatorListed(address indexed operator, bool listed, address actor);

    error BadKeyLimit(uint32 limit, uint32 actual);
    error UnknownPlatform();
    error UnexpectedComposeHash(bytes32 actual);
    error StatusNotAcceptable(TcbStatus status);
    error BadOperatorSignature(address expected);
    error BadKeySignature(address expected, address actual);
    error KeyInUse(address key, uint32 number);
    error TooManyKeys(bytes32 platformId, uint256 limit);
    error UnknownNode(uint32 number);
    error NodeIsRetired(uint32 number);
    error PlatformChanged(bytes32 expected, bytes32 actual);
    error OperatorChanged(address expected, address actual);
    error KeyChanged(address expected, address actual);
    error KindChanged(TeeKind expected, TeeKind actual);
    error SimulatedChanged(bool expected, bool actual);
    error EvidenceNotNewer(uint64 current, uint64 actual);
    error NotOperator(address expected, address actual);
    error OperatorNotListed(address operator);
    error NodeHasNoRecord(uint32 number);
    error CollateralNotCurrent(uint40 validUntil, uint40 staleSince);
    error NodeStillValid(uint32 number, TcbStatus status);

    /// @notice Registers a platform. Anyone may send it; the operator (the verdict's subject) and the bound key consent by
    /// EIP-712 signatures over NodeEntry(address operator,bytes32 platformId,bytes32 evidenceDigest), domain
    /// "Charter NodeRegistry" version "1".
    /// @param operatorSignature ECDSA or ERC-1271; empty where the operator itself sends.
    function register(
        ProofSystem system,
        bytes calldata proof,
        bytes calldata operatorSignature,
        bytes calldata keySignature
    ) external returns (uint32 number);

    /// @notice Newer evidence of the same platform, operator and key. `keySignature` as for `register`.
    function renew(
        uint32 number,
        ProofSystem system,
        bytes calldata proof,
        bytes calldata keySignature
    ) external;

    /// @notice Takes a node out for good. Its operator; anyone once it has been expired for `RETIRE_AFTER` (30 days).
    function retire(uint32 number) external;

    /// @notice Takes a node out until it is renewed. Anyone; needs collateral of now that refuses its platform. Collateral
    /// that has merely ended suspends, and heals by itself.
    function invalidate(uint32 number) external;

    /// @notice Whether only listed operators may register and renew. Owner (the Timelock) only.
    function requireListedOperators(bool required) external;
    /// @notice Lists operators, or takes them off. Owner only.
    function listOperators(address[] calldata operators, bool listed) external;
    function isOperatorListed(address operator) external view returns (bool);

    /// @notice Of a retired node whose place another of its platform has taken only the platform is known.
    function node(uint32 number) external view returns (Node memory);
    /// @notice Numbers of a platform's nodes that are not retired, in the order of their places.
    function nodesOn(bytes32 platformId) external view returns (uint32[] memory);
    function nodeCount() external view returns (uint32);
    /// @notice Registered, not retired, not invalidated, not expired, simulated on development chains only; where it rests
    /// on a record, collateral of now holds and does not refuse it (a stale judgement counts for `REVIEW_SECONDS`).
    function isActive(uint32 number) external view returns (bool);
    /// @notice Platform of a node of any state. Reverts UnknownNode.
    function platformIdOf(uint32 number) external view returns (bytes32);
    /// @notice The same, with its operator; zero where `node` does not know it any more.
    function platformOf(uint32 number) external view returns (bytes32 platformId, address operator);
    /// @notice EIP-712 digest that operator and key sign.
    function entryDigest(
        address operator,
        bytes32 platformId,
        bytes32 evidenceDigest
    ) external view returns (bytes32);
}
