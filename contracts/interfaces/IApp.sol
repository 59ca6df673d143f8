// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Facts, Level, Reason, SettingKind} from "./Types.sol";

/// @notice One entry to change: see SettingKind for keys, values and directions.
struct Setting {
    SettingKind kind;
    bytes32 key;
    uint256 value;
}

/// @notice Everything that an app starts with. Its keccak256(abi.encode(settings)) is bound by the app's address.
/// @param noticeSeconds notice, at most 365 days.
/// @param graceSeconds the most grace that a proposal may give, at most 30 days.
/// @param composeHash release 1, active at once; zero creates the app without a release.
/// @param noteDigest SHA-256 of release 1's note.
/// @param settings policy entries, each of a loosening or requiring kind; Notice and Grace are not repeated here.
struct AppSettings {
    uint32 noticeSeconds;
    uint32 graceSeconds;
    bytes32 composeHash;
    bytes32 noteDigest;
    Setting[] settings;
}

/// @notice A release that may matter now: pending, head, or in grace.
/// @param activatesAt first second in which it is allowed.
/// @param endsAt first second in which it is no longer allowed; type(uint40).max is "no end".
struct LiveRelease {
    uint32 number;
    uint40 activatesAt;
    uint40 endsAt;
}

/// @notice Which nodes a placement may use: empty lists select nothing more than the policy already does.
struct Selector {
    uint8 teeKinds; //      bitmap over TeeKind; 0 = every kind that the policy allows
    bool gpu; //            only nodes with an attested GPU
    address[] operators; // empty = every operator
}

enum OwnerCode {
    None, //      no code: an externally owned account
    Delegated, // EIP-7702 delegation (0xef0100‖address)
    Contract //   a contract, such as a Safe or a Timelock
}

/// @notice Who can change this app, and how fast. Effective values at the block's time.
/// @param earliestNewReleaseAt earliest second at which code that is not allowed now could be; uint40 max if never.
/// @param nextChangeAt earliest second at which anything already recorded takes effect; uint40 max if nothing is.
struct Control {
    address owner;
    OwnerCode ownerCode;
    address pendingOwner;
    address guardian;
    address pendingGuardian;
    uint40 pendingGuardianAt;
    Level level;
    uint32 noticeSeconds;
    uint32 noticeFloorSeconds;
    uint32 graceSeconds;
    uint40 earliestNewReleaseAt;
    uint40 nextChangeAt;
}

/// @title What an app says: its events and its refusals
interface IAppEvents {
    // ---------------------------------------------------------------- events
    // Each carries old, new and actor; replaying them from the first block gives the whole state.

    /// @notice The complete initial state.
    event AppInitialized(
        address indexed registry,
        address indexed owner,
        address indexed guardian,
        AppSettings settings
    );

    /// @param noteDigest SHA-256 of the note. Note and manifest have CIDs that follow from their digests.
    /// @param predecessor head that the proposal expected and found, 0 if none.
    /// @param predecessorEndsAt new end of the predecessor (activatesAt + grace); 0 if there is none.
    /// @param cutRelease older release whose remaining grace this proposal cut short to now, 0 if none.
    event ReleaseProposed(
        uint32 indexed number,
        bytes32 indexed composeHash,
        bytes32 noteDigest,
        uint40 activatesAt,
        uint32 graceSeconds,
        uint32 predecessor,
        uint40 predecessorEndsAt,
        uint32 cutRelease,
        address actor
    );

    /// @param predecessor release whose end was lifted (or set, see predecessorEndsAt), 0 if none.
    event ReleaseVetoed(uint32 indexed number, uint32 predecessor, uint40 predecessorEndsAt, address actor);

    /// @param oldEndsAt end that the release had before; from now on it is `endsAt` (this block's time).
    /// @param restored predecessor that is head again, 0 if none.
    /// @param restoredEndsAt its end from now on.
    event ReleaseRevoked(
        uint32 indexed number,
        uint40 oldEndsAt,
        uint40 endsAt,
        uint32 restored,
        uint40 restoredEndsAt,
        address actor
    );

    /// @notice An entry changed, or will: at `effectiveAt` (this block's time when tightened).
    /// @param oldValue effective value before; newValue is effective from `effectiveAt` on. A pending loosening of
    /// the same entry is gone.
    event SettingChanged(
        SettingKind indexed kind,
        bytes32 indexed key,
        uint256 oldValue,
        uint256 newValue,
        uint40 effectiveAt,
        address actor
    );
    event LooseningCancelled(
        SettingKind indexed kind,
        bytes32 indexed key,
        uint256 value,
        uint40 effectiveAt,
        address actor
    );
    /// @param effectiveAt this block's time when there was no guardian, else now + notice.
    event GuardianChanged(
        address indexed oldGuardian,
        address indexed newGuardian,
        uint40 effectiveAt,
        address actor
    );
    event GuardianChangeCancelled(address indexed guardian, address indexed cancelled, address actor);
    event LevelRaised(Level oldLevel, Level newLevel, uint32 noticeFloorSeconds, address actor);
    event OwnershipTransferStarted(address indexed oldOwner, address indexed newOwner, address actor);
    event OwnershipTransferred(address indexed oldOwner, address indexed newOwner, address actor);
    /// @notice The release lapses at its activation unless `required` of `rebuilders` report that its source gives its
    /// compose hash. Emitted after ReleaseProposed. `version` names the set of rebuilders that counts.
    event RebuildsDemanded(uint32 indexed number, uint8 required, uint8 rebuilders, uint16 version);
    /// @param matches whether `builtHash` is the release's compose hash; `matching` counts those so far.
    event RebuildReported(
        uint32 indexed number,
        address indexed rebuilder,
        bytes32 builtHash,
        bool matches,
        uint8 matching
    );
    event ReplicasChanged(uint16 oldReplicas, uint16 newReplicas, Selector selector, address actor);

    // ---------------------------------------------------------------- errors

    error NotRegistry(address expected, address actual);
    error AlreadyInitialized();
    error NotOwner(address expected, address actual);
    error NotPendingOwner(address expected, address actual);
    error NotOwnerOrGuardian(address owner, address guardian, address actual);
    error LevelForbids(Level level, bytes4 action);
    error LevelNotRaised(Level current, Level asked);
    error LevelBlocked(Level asked, string what);
    error ZeroComposeHash();
    error UnexpectedPredecessor(uint32 expected, uint32 actual);
    error ReleasePending(uint32 number);
    error ReleaseStillLive(bytes32 composeHash, uint32 number);
    error ReleaseNotPending(uint32 number);
    error ReleaseNotLive(uint32 number);
    error GraceTooLong(uint32 limitSeconds, uint32 actual);
    error NoticeTooLong(uint32 limitSeconds, uint256 actual);
    error NoticeBelowFloor(uint32 floorSeconds, uint256 actual);
    error UnknownSetting(SettingKind kind, bytes32 key, uint256 value);
    error NotATightening(SettingKind kind, bytes32 key, uint256 current, uint256 asked);
    error NotALoosening(SettingKind kind, bytes32 key, uint256 current, uint256 asked);
    error NoProofSystemLeft();
    error NothingPending(SettingKind kind, bytes32 key);
    error GuardianUnchanged(address guardian);
    error NoGuardianChangePending();
    error TooManyPending(uint256 limit);
    error TooManyRebuilders(uint256 limit);
    error TooFewRebuilders(uint256 required, uint256 actual);
    error NoTimeToRebuild();
    error NoRebuildsDemanded(uint32 number);
    error NotARebuilder(address actual, uint16 version);
    error AlreadyReported(uint32 number, address rebuilder);
}

/// @title App: one governed program
/// @notice Holds who owns an app, which exact code may run, and how fast that may change. An ERC-1167 clone with
/// immutable arguments (first owner, first guardian, a digest of settings and salt), made by the registry that deployed
/// its logic: no proxy admin, no upgrade, and an address that binds all of these.
/// A release is allowed during exactly one interval: activatesAt ≤ t < endsAt. What has ended never runs again,
/// except as a new release after notice.
interface IApp is IAppEvents {
    // ---------------------------------------------------------------- releases

    /// @notice Proposes a release. Owner only; forbidden from RevokeOnly on.
    /// @param expectedPredecessor number of the head that the proposer saw (0 for none), so that a late execution
    /// cannot upgrade a head that its diff did not show.
    /// @param graceSeconds how long the predecessor stays allowed after activation; at most the app's grace setting.
    /// @return number of the release; it activates at now + notice with no further transaction.
    function propose(
        bytes32 composeHash,
        bytes32 noteDigest,
        uint32 expectedPredecessor,
        uint32 graceSeconds
    ) external returns (uint32 number);

    /// @notice Withdraws the pending release (t < activatesAt); its predecessor's end is lifted. Owner or guardian.
    function veto(uint32 number) external;

    /// @notice Ends a pending or active release in this block. Owner or guardian. The immediate predecessor is head
    /// again only while still in its grace; otherwise the app has no head until a new release activates.
    function revoke(uint32 number) external;

    /// @notice As `revoke`, by compose hash: at most one release of a hash is live.
    function revokeByHash(bytes32 composeHash) external;

    /// @notice Says what hash the release's source gave. A rebuilder of the release's set, once, before activation. At
    /// activation a release with fewer matching reports than it needs has lapsed: its predecessor is untouched.
    function reportRebuild(uint32 number, bytes32 builtHash) external;
    /// @notice What the newest release needs and has; zeros when it needs nothing.
    function rebuilds(uint32 number) external view returns (uint8 required, uint8 matching);

    // ---------------------------------------------------------------- settings and control

    /// @notice Tightens entries, in force at once; deletes pending loosenings of the same entries. Owner only.
    function tighten(Setting[] calldata changes) external;
    /// @notice Loosens entries, each effective at now + notice (replacing a pending one restarts it). Owner only;
    /// forbidden from Sealed on.
    function loosen(Setting[] calldata changes) external;
    /// @notice Cancels a loosening that has not taken effect. Owner or guardian.
    function cancelLoosening(SettingKind kind, bytes32 key) external;
    /// @notice Adds a guardian at once where there is none; replaces or removes (zero) after notice. Owner only;
    /// from Sealed on only adding where there is none.
    function setGuardian(address newGuardian) external;
    /// @notice Cancels a pending replacement or removal. Owner only: the guardian concerned has no say in it.
    function cancelGuardianChange() external;
    /// @notice First step; `newOwner` zero takes a started transfer back. Owner only.
    function transferOwnership(address newOwner) external;
    /// @notice Second step, by the pending owner.
    function acceptOwnership() external;
    /// @notice Gives up control for good. Owner only. Reverts while anything is pending that the new level forbids.
    function raiseLevel(Level newLevel) external;
    /// @notice Desired state that relayers reconcile. Owner only; forbidden when Frozen.
    function setReplicas(uint16 replicas, Selector calldata selector) external;

    // ---------------------------------------------------------------- views

    function registry() external view returns (address);
    function owner() external view returns (address);
    function control() external view returns (Control memory);
    /// @notice Up to three releases: newest first (pending or head, predecessor, one older in grace).
    function liveReleases() external view returns (LiveRelease[] memory);
    /// @notice Number of the last release ever proposed.
    function lastRelease() external view returns (uint32);
    /// @notice Active release that a proposal must expect as predecessor, 0 if none.
    function head() external view returns (uint32);
    /// @notice Latest release of a hash, 0 if none; exact interval while it is in the live set. For a hash that has
    /// left the live set `live.endsAt` is 0: it ended, and its events say when.
    function releaseOf(bytes32 composeHash) external view returns (LiveRelease memory live);
    /// @notice Is any release of this hash allowed now?
    function isReleaseAllowed(bytes32 composeHash) external view returns (bool);
    /// @notice Is this release, by number, allowed now?
    function isReleaseNumberAllowed(uint32 number) external view returns (bool);
    /// @notice Effective value of an entry, and its pending loosening (effectiveAt 0 when there is none).
    function setting(
        SettingKind kind,
        bytes32 key
    ) external view returns (uint256 value, uint256 pendingValue, uint40 effectiveAt);
    function replicas() external view returns (uint16 replicas_, bytes32 selectorDigest);
    /// @notice Judges stored facts by today's release and policy. `protocol/policy` is its twin.
    /// Checks in order: release, TEE kind, TCB status, advisories, OS image, node, GPU, proofs.
    function judge(Facts calldata facts) external view returns (Reason);
    /// @notice Number of the latest release with this compose hash, 0 for none, and `maxEvidenceAgeBlocks` in force: what
    /// evidence must meet to be entered at all. Whether it is allowed is `judge`'s to say.
    function evidenceTerms(bytes32 composeHash) external view returns (uint32 release, uint32 maxAgeBlocks);
    /// @notice `maxEvidenceAgeBlocks` in force.
    function maxEvidenceAgeBlocks() external view returns (uint32);
}
