// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";

import {EndorsementOp, IEndorsements, Membership} from "../interfaces/IEndorsements.sol";

/// @title Endorsements
/// @dev Has no owner. Bounds are checked when an expression is defined, so that evaluating one is bounded too.
contract Endorsements is IEndorsements {
    struct Expression {
        EndorsementOp op;
        uint8 depth;
        uint8 size; // expressions in it, itself included
        bytes32[] terms;
    }

    uint256 private constant MAX_TERMS = 16;
    uint256 private constant MAX_DEPTH = 4;
    uint256 private constant MAX_SIZE = 64;

    uint256 private _lists;
    mapping(bytes32 id => Expression expression) private _expressions;
    mapping(bytes32 list => address curator) private _curators;
    mapping(bytes32 list => bytes32 root) private _roots;
    mapping(bytes32 list => mapping(bytes32 member => Membership membership)) private _members;

    /// @inheritdoc IEndorsements
    function defineExpression(EndorsementOp op, bytes32[] calldata terms) external returns (bytes32 id) {
        id = keccak256(abi.encode(op, terms));
        if (_expressions[id].op != EndorsementOp.None) return id;
        uint256 depth = 1;
        uint256 size = 1;
        if (op == EndorsementOp.AnyOf || op == EndorsementOp.AllOf) {
            require(terms.length != 0 && terms.length <= MAX_TERMS, BadTermCount(op, terms.length));
            for (uint256 i = 0; i < terms.length; ++i) {
                Expression storage term = _expressions[terms[i]];
                require(term.op != EndorsementOp.None, UnknownExpression(terms[i]));
                require(
                    i == 0 || terms[i] > terms[i - 1],
                    TermsNotAscending(terms[i == 0 ? 0 : i - 1], terms[i])
                );
                if (term.depth >= depth) depth = uint256(term.depth) + 1;
                size += term.size;
            }
            require(depth <= MAX_DEPTH, ExpressionTooDeep(MAX_DEPTH, depth));
            require(size <= MAX_SIZE, ExpressionTooLarge(MAX_SIZE, size));
        } else {
            require(op != EndorsementOp.None && terms.length == 1, BadTermCount(op, terms.length));
            _requireLeaf(op, terms[0]);
        }
        _expressions[id] = Expression(op, uint8(depth), uint8(size), terms);
        emit ExpressionDefined(id, op, terms, msg.sender);
    }

    /// @inheritdoc IEndorsements
    function createList(address curator) external returns (bytes32 list) {
        require(curator != address(0), NotCurator(address(0), curator));
        list = bytes32(++_lists);
        _curators[list] = curator;
        emit ListCreated(list, curator, msg.sender);
    }

    /// @inheritdoc IEndorsements
    function curate(bytes32 list, bytes32[] calldata members, bool listed) external {
        _requireCurator(list);
        Membership membership = listed ? Membership.Listed : Membership.TakenOff;
        for (uint256 i = 0; i < members.length; ++i) {
            if (_members[list][members[i]] == membership) continue;
            _members[list][members[i]] = membership;
            emit ListCurated(list, members[i], listed, msg.sender);
        }
    }

    /// @inheritdoc IEndorsements
    function setRoot(bytes32 list, bytes32 newRoot) external {
        _requireCurator(list);
        emit ListRootChanged(list, _roots[list], newRoot, msg.sender);
        _roots[list] = newRoot;
    }

    /// @inheritdoc IEndorsements
    function enter(bytes32 list, bytes32 member, bytes32[] calldata proof) external {
        bytes32 root = _roots[list];
        bytes32 leaf = keccak256(bytes.concat(keccak256(abi.encode(member))));
        bytes32 actual = MerkleProof.processProofCalldata(proof, leaf);
        require(root != 0 && actual == root, NotUnderRoot(list, root, actual));
        require(_members[list][member] != Membership.TakenOff, TakenOffList(list, member));
        if (_members[list][member] == Membership.Listed) return;
        _members[list][member] = Membership.Listed;
        emit ListCurated(list, member, true, msg.sender);
    }

    /// @inheritdoc IEndorsements
    function setCurator(bytes32 list, address newCurator) external {
        _requireCurator(list);
        emit CuratorChanged(list, _curators[list], newCurator, msg.sender);
        _curators[list] = newCurator;
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc IEndorsements
    function endorses(bytes32 id, bytes32 platformId, address operator) public view returns (bool) {
        Expression storage found = _expressions[id];
        EndorsementOp op = found.op;
        if (op == EndorsementOp.AnyOf || op == EndorsementOp.AllOf) {
            // AnyOf ends at the first that endorses, AllOf at the first that does not.
            bool ends = op == EndorsementOp.AnyOf;
            for (uint256 i = 0; i < found.terms.length; ++i) {
                if (endorses(found.terms[i], platformId, operator) == ends) return ends;
            }
            return !ends;
        }
        if (op == EndorsementOp.None) return false;
        bytes32 term = found.terms[0];
        if (op == EndorsementOp.Platform) return term == platformId;
        if (op == EndorsementOp.PlatformList) return isListed(term, platformId);
        if (operator == address(0)) return false;
        bytes32 padded = bytes32(uint256(uint160(operator)));
        return op == EndorsementOp.Operator ? term == padded : isListed(term, padded);
    }

    /// @inheritdoc IEndorsements
    function expression(bytes32 id) external view returns (EndorsementOp op, bytes32[] memory terms) {
        return (_expressions[id].op, _expressions[id].terms);
    }

    /// @inheritdoc IEndorsements
    function curatorOf(bytes32 list) external view returns (address) {
        return _curators[list];
    }

    /// @inheritdoc IEndorsements
    function rootOf(bytes32 list) external view returns (bytes32) {
        return _roots[list];
    }

    /// @inheritdoc IEndorsements
    function isListed(bytes32 list, bytes32 member) public view returns (bool) {
        return _members[list][member] == Membership.Listed;
    }

    // ---------------------------------------------------------------- checks

    function _requireLeaf(EndorsementOp op, bytes32 term) private view {
        if (op == EndorsementOp.PlatformList || op == EndorsementOp.OperatorList) {
            require(uint256(term) != 0 && uint256(term) <= _lists, UnknownList(term));
        } else {
            bool good = term != 0 && (op != EndorsementOp.Operator || uint256(term) <= type(uint160).max);
            require(good, BadTerm(op, term));
        }
    }

    function _requireCurator(bytes32 list) private view {
        require(uint256(list) != 0 && uint256(list) <= _lists, UnknownList(list));
        require(msg.sender == _curators[list], NotCurator(_curators[list], msg.sender));
    }
}
