// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";

import {IApp} from "../../interfaces/IApp.sol";
import {IAttestationLedger} from "../../interfaces/IAttestationLedger.sol";
import {Committee, ICommitteeVerifier} from "../../interfaces/ICommitteeVerifier.sol";
import {INodeRegistry} from "../../interfaces/INodeRegistry.sol";
import {ProofSystem, SettingKind} from "../../interfaces/Types.sol";
import {DevelopmentChain} from "../../lib/DevelopmentChain.sol";

/// @notice What a committee of operators asks of the ledger that knows its signers.
interface IRelayerLedger is IAttestationLedger {
    function nodeRegistry() external view returns (INodeRegistry);
}

/// @title CommitteeSeats: who sits, from when, and whose signature counts for a seat now
abstract contract CommitteeSeats is ICommitteeVerifier, Ownable2Step {
    uint256 public constant MAX_MEMBERS = 32;
    uint256 public constant MAX_NOTICE_SECONDS = 365 days;
    /// @notice On production chains a committee of keys lasts no longer than this: nothing attests who holds a key.
    uint256 public constant MAX_KEYS_SECONDS = 366 days;

    /// @dev One slot, so that the committee in force is known by two reads.
    struct Term {
        uint32 number; //    names its seats; 0: there is no such term
        uint8 threshold;
        uint40 effectiveAt;
        uint40 expiresAt;
        bool ofOperators;
    }
    struct Relayer {
        IRelayerLedger ledger;
        IApp app;
    }

    /// @inheritdoc ICommitteeVerifier
    uint32 public immutable noticeSeconds;

    Term private _current;
    /// @dev In force once its time has come; moved to `_current` by the next change.
    Term private _next;
    uint32 private _lastTerm;
    mapping(uint32 term => address[] seats) private _members;
    mapping(uint32 term => mapping(address seat => bool isSeat)) private _isSeat;
    mapping(uint32 term => Relayer relayer) private _relayers;
    mapping(address account => bool isMarked) private _isMarked;
    address private _disputes;

    constructor(uint32 noticeSeconds_, address[] memory members, uint8 threshold, uint40 expiresAt) {
        require(noticeSeconds_ != 0 || DevelopmentChain.isOne(), NoNotice());
        require(noticeSeconds_ <= MAX_NOTICE_SECONDS, NoticeTooLong(MAX_NOTICE_SECONDS, noticeSeconds_));
        noticeSeconds = noticeSeconds_;
        Relayer memory none;
        _current = _newTerm(members, threshold, uint40(block.timestamp), expiresAt, none);
    }

    /// @inheritdoc ICommitteeVerifier
    function proposeCommittee(
        address[] calldata members,
        uint8 threshold,
        uint40 expiresAt,
        address ledger,
        address app
    ) external onlyOwner {
        Term memory next = _next;
        if (next.number != 0) {
            require(next.effectiveAt <= block.timestamp, CommitteePending(next.effectiveAt));
            _current = next;
        }
        Relayer memory relayer = Relayer(IRelayerLedger(ledger), IApp(app));
        if (ledger == address(0) && app == address(0)) {
            require(!_current.ofOperators, OperatorsRequired());
        } else {
            require(ledger.code.length != 0 && app.code.length != 0, NoRelayerApp(ledger, app));
            _requireDirect(relayer.app);
            // A ledger that cannot say whose instance a key is could seat nobody, and would stop every later mark.
            _operatorOf(relayer, address(this));
        }
        _next = _newTerm(members, threshold, uint40(block.timestamp) + noticeSeconds, expiresAt, relayer);
    }

    /// @inheritdoc ICommitteeVerifier
    function cancelCommittee() external onlyOwner {
        Term memory next = _next;
        require(next.number != 0 && next.effectiveAt > block.timestamp, NoCommitteePending());
        delete _next;
        delete _relayers[next.number];
        emit CommitteeCancelled(_members[next.number], next.threshold, next.effectiveAt, msg.sender);
    }

    /// @inheritdoc ICommitteeVerifier
    function setDisputes(address newDisputes) external onlyOwner {
        emit DisputesChanged(_disputes, newDisputes, msg.sender);
        _disputes = newDisputes;
    }

    /// @inheritdoc ICommitteeVerifier
    function mark(address[] calldata signers) external {
        require(msg.sender == _disputes, NotDisputes(_disputes, msg.sender));
        for (uint256 i = 0; i < signers.length; ++i) {
            _isMarked[signers[i]] = true;
            // An operator has as many keys as it likes; its seat is what must not speak again. Nor may a change of the
            // relayer's app between the lie and its dispute save it: every app whose instances ever sat is asked.
            bool isInstance = false;
            for (uint32 number = _lastTerm; number != 0; --number) {
                Relayer memory relayer = _relayers[number];
                if (address(relayer.ledger) == address(0)) continue;
                address seat = _operatorOf(relayer, signers[i]);
                if (seat == address(0)) continue;
                if (isInstance && _isMarked[seat]) continue;
                (isInstance, _isMarked[seat]) = (true, true);
                emit SignerMarked(signers[i], seat, msg.sender);
            }
            if (!isInstance) emit SignerMarked(signers[i], signers[i], msg.sender);
        }
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc ICommitteeVerifier
    function committee() external view returns (Committee memory) {
        return _committeeOf(_inForce());
    }

    /// @inheritdoc ICommitteeVerifier
    function nextCommittee() external view returns (Committee memory) {
        Term memory next = _next;
        Term memory none;
        return _committeeOf(next.effectiveAt > block.timestamp ? next : none);
    }

    /// @inheritdoc ICommitteeVerifier
    function seatOf(address signer) external view returns (address) {
        Term memory term = _requireTerm();
        return _requireSeat(term, _relayers[term.number], signer);
    }

    /// @inheritdoc ICommitteeVerifier
    function isMarked(address account) external view returns (bool) {
        return _isMarked[account];
    }

    /// @inheritdoc ICommitteeVerifier
    function disputes() external view returns (address) {
        return _disputes;
    }

    // ---------------------------------------------------------------- seats

    /// @dev The term in force, unexpired, and (of operators) with an app that still requires Direct: an app that took the
    /// committee's own word for its instances would let the committee choose itself.
    function _requireTerm() internal view returns (Term memory term) {
        term = _inForce();
        require(block.timestamp < term.expiresAt, CommitteeExpired(term.expiresAt, block.timestamp));
        if (term.ofOperators) _requireDirect(_relayers[term.number].app);
    }

    function _relayerOf(Term memory term) internal view returns (Relayer memory relayer) {
        if (term.ofOperators) relayer = _relayers[term.number];
    }

    /// @dev The seat that `signer` speaks for now. Reverts where it speaks for none.
    function _requireSeat(
        Term memory term,
        Relayer memory relayer,
        address signer
    ) internal view returns (address seat) {
        seat = signer;
        if (term.ofOperators) {
            require(
                relayer.ledger.isLive(address(relayer.app), signer),
                SignerNotLive(address(relayer.app), signer)
            );
            seat = _soleOperatorOf(relayer, signer);
            require(!_isMarked[signer], SignerIsMarked(signer, seat));
        }
        require(_isSeat[term.number][seat], NotAMember(signer));
        require(!_isMarked[seat], SignerIsMarked(signer, seat));
    }

    function _inForce() private view returns (Term memory term) {
        term = _next;
        if (term.number == 0 || term.effectiveAt > block.timestamp) term = _current;
    }

    /// @dev Zero for a key that the ledger never knew as an instance of the relayer's app.
    function _operatorOf(Relayer memory relayer, address signer) private view returns (address operator) {
        uint32 node = relayer.ledger.instance(address(relayer.app), signer).node;
        if (node != 0) (, operator) = relayer.ledger.nodeRegistry().platformOf(node);
    }

    /// @dev Evidence names a platform, not a node: whoever starts the app on a machine that operators share could enter its
    /// instance under any of them, and speak for all.
    function _soleOperatorOf(Relayer memory relayer, address signer) private view returns (address operator) {
        uint32 node = relayer.ledger.instance(address(relayer.app), signer).node;
        INodeRegistry registry = relayer.ledger.nodeRegistry();
        bytes32 platformId;
        (platformId, operator) = registry.platformOf(node);
        uint32[] memory numbers = registry.nodesOn(platformId);
        for (uint256 i = 0; i < numbers.length; ++i) {
            if (numbers[i] == node) continue;
            (, address other) = registry.platformOf(numbers[i]);
            require(other == operator, PlatformShared(platformId, operator, other));
        }
    }

    function _requireDirect(IApp app) private view {
        (uint256 required, , ) = app.setting(SettingKind.ProofSystem, bytes32(uint256(ProofSystem.Direct)));
        require(required == 1, DirectNotRequired(address(app)));
    }

    function _newTerm(
        address[] memory members,
        uint8 threshold,
        uint40 effectiveAt,
        uint40 expiresAt,
        Relayer memory relayer
    ) private returns (Term memory term) {
        require(members.length <= MAX_MEMBERS, TooManyMembers(MAX_MEMBERS, members.length));
        require(
            threshold != 0 && threshold <= members.length && uint256(threshold) * 2 > members.length,
            BadThreshold(members.length, threshold)
        );
        term = Term(++_lastTerm, threshold, effectiveAt, expiresAt, address(relayer.ledger) != address(0));
        uint256 limit = term.ofOperators || DevelopmentChain.isOne() ? type(uint40).max : MAX_KEYS_SECONDS;
        require(
            expiresAt > effectiveAt && expiresAt - effectiveAt <= limit,
            BadExpiry(effectiveAt, expiresAt, limit)
        );
        address previous = address(0);
        for (uint256 i = 0; i < members.length; ++i) {
            require(members[i] > previous, BadMember(members[i]));
            previous = members[i];
            _isSeat[term.number][previous] = true;
        }
        _members[term.number] = members;
        if (term.ofOperators) _relayers[term.number] = relayer;
        emit CommitteeChanged(
            _members[_current.number],
            _current.threshold,
            members,
            threshold,
            effectiveAt,
            expiresAt,
            address(relayer.ledger),
            address(relayer.app),
            msg.sender
        );
    }

    function _committeeOf(Term memory term) private view returns (Committee memory) {
        Relayer memory relayer = _relayerOf(term);
        return
            Committee({
                members: _members[term.number],
                threshold: term.threshold,
                effectiveAt: term.effectiveAt,
                expiresAt: term.expiresAt,
                ledger: address(relayer.ledger),
                app: address(relayer.app)
            });
    }
}
