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
    TcbStatus status;
    bool simulated;
    bool retired;
    uint64 evidenceBlock;
    uint40 attestedAt;
    uint40 expiresAt; //    from here on the node is suspended until renewed
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

    /// @notice Registers a platform. Anyone may send it; the operator (the verdict's subject) and the bound key consent by
    /// EIP-712 signatures over NodeEntry(address operator,bytes32 platformId,bytes32 evidenceDigest), domain
    /// "Charter NodeRegistry" version "1".
    /// @param operatorSignature ECDSA or ERC-1271.
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

    function node(uint32 number) external view returns (Node memory);
    /// @notice 0 when no live node has this key.
    function numberOfKey(address key) external view returns (uint32);
    function nodeCount() external view returns (uint32);
    /// @notice Registered, not retired, not expired.
    function isActive(uint32 number) external view returns (bool);
    /// @notice EIP-712 digest that operator and key sign.
    function entryDigest(
        address operator,
        bytes32 platformId,
        bytes32 evidenceDigest
    ) external view returns (bytes32);
}
