import type { advisorySetsAbi } from "../abi/advisorySets.ts";
import type { attestationLedgerAbi } from "../abi/attestationLedger.ts";
import type { committeeVerifierAbi } from "../abi/committeeVerifier.ts";
import type { endorsementsAbi } from "../abi/endorsements.ts";
import type { nodeRegistryAbi } from "../abi/nodeRegistry.ts";
import { CharterError } from "../errors/CharterError.ts";
import { advisoryKey } from "../policy/settings.ts";
import type { EndorsementOp } from "../policy/endorsements.ts";
import type { TcbStatus, TeeKind } from "../words/enums.ts";
import type { Address, Bytes32, PlatformId } from "../words/hex.ts";
import { applyAppEvent } from "./applyAppEvent.ts";
import { applyDcapEvent } from "./applyDcapEvent.ts";
import { instanceKey } from "./chainState.ts";
import { committeeAt } from "./committeeAt.ts";
import type { EventArgs } from "./eventArgs.ts";
import { unpackInstance } from "./instanceWord.ts";
import type { UnpackedInstance } from "./instanceWord.ts";
import type { ChainEvent, ChainState, InstanceState, NodeState } from "./types.ts";

function applyNodeEvent(state: ChainState, event: ChainEvent): void {
  const known = (number: number): NodeState => {
    const node = state.nodes.get(number);
    if (!node)
      throw new CharterError("state/unknown-node", "an event names a node before its entry", { number });
    return node;
  };
  switch (event.name) {
    case "NodeRegistered": {
      const args = event.args as unknown as EventArgs<typeof nodeRegistryAbi, "NodeRegistered">;
      state.nodes.set(args.number, {
        number: args.number,
        operator: args.operator as Address,
        platformId: args.platformId as PlatformId,
        key: args.key as Address,
        kind: args.kind as TeeKind,
        status: args.status as TcbStatus,
        simulated: args.simulated,
        retired: false,
        invalidated: false,
        record: args.record,
        evidenceBlock: args.evidenceBlock,
        attestedAt: args.attestedAt,
        expiresAt: args.expiresAt,
      });
      return;
    }
    case "NodeRenewed": {
      const args = event.args as unknown as EventArgs<typeof nodeRegistryAbi, "NodeRenewed">;
      const node = known(args.number);
      node.status = args.newStatus as TcbStatus;
      node.evidenceBlock = args.evidenceBlock;
      node.attestedAt = args.attestedAt;
      node.expiresAt = args.expiresAt;
      node.record = args.record;
      node.invalidated = false;
      return;
    }
    case "NodeInvalidated": {
      const args = event.args as unknown as EventArgs<typeof nodeRegistryAbi, "NodeInvalidated">;
      known(args.number).invalidated = true;
      return;
    }
    case "NodeRetired": {
      const args = event.args as unknown as EventArgs<typeof nodeRegistryAbi, "NodeRetired">;
      known(args.number).retired = true;
      return;
    }
    default:
      unchanged(event, ["VerifierChanged", "OperatorListChanged", "OperatorListed"]);
  }
}

function applyLedgerEvent(state: ChainState, event: ChainEvent): void {
  switch (event.name) {
    case "ImageKept": {
      const args = event.args as unknown as EventArgs<typeof attestationLedgerAbi, "ImageKept">;
      state.images.set(args.image, {
        osImageHash: args.osImageHash as Bytes32,
        measurementDigest: args.measurementDigest as Bytes32,
        pinnedMeasurementDigest: args.pinnedMeasurementDigest as Bytes32,
        advisoriesDigest: args.advisoriesDigest as Bytes32,
      });
      return;
    }
    case "InstanceProven": {
      const args = event.args as unknown as EventArgs<typeof attestationLedgerAbi, "InstanceProven">;
      keepInstance(state, args as unknown as ProvenInstance);
      return;
    }
    case "InstanceClaimed": {
      const args = event.args as unknown as EventArgs<typeof attestationLedgerAbi, "InstanceClaimed">;
      keepInstance(state, {
        app: args.app as Address,
        key: args.key as Address,
        evidenceDigest: args.evidenceDigest as Bytes32,
        ...unpackInstance(args.entry as Bytes32),
      });
      return;
    }
    default:
      unchanged(event, ["VerifierChanged", "BatchPosted"]);
  }
}

type ProvenInstance = UnpackedInstance & Pick<InstanceState, "app" | "key" | "evidenceDigest">;

function keepInstance(state: ChainState, proven: ProvenInstance): void {
  const image = state.images.get(proven.image);
  if (!image) {
    throw new CharterError("state/unknown-image", "an event names an image before it was kept", {
      image: proven.image,
    });
  }
  const { app, key, node, release, kind, status, proofSystems, simulated, gpu, record } = proven;
  const { evidenceDigest, evidenceBlock, expiresAt } = proven;
  state.instances.set(instanceKey(app, key), {
    ...{ app, key, node, release, kind, status, proofSystems, simulated, gpu, record },
    ...{ evidenceDigest, evidenceBlock, expiresAt },
    ...image,
  });
}

function applyCommitteeEvent(state: ChainState, event: ChainEvent): void {
  switch (event.name) {
    case "CommitteeChanged": {
      const args = event.args as unknown as EventArgs<typeof committeeVerifierAbi, "CommitteeChanged">;
      const next = {
        members: args.newMembers as readonly Address[],
        threshold: args.newThreshold,
        effectiveAt: args.effectiveAt,
        expiresAt: args.expiresAt,
        ledger: args.ledger as Address,
        app: args.app as Address,
      };
      state.committee = committeeAt(state, event.blockTimestamp);
      state.nextCommittee = next;
      return;
    }
    case "CommitteeCancelled":
      state.nextCommittee = null;
      return;
    case "SignerMarked": {
      const args = event.args as unknown as EventArgs<typeof committeeVerifierAbi, "SignerMarked">;
      state.marked.add(args.signer as Address);
      state.marked.add(args.seat as Address);
      return;
    }
    default:
      unchanged(event, ["DisputesChanged"]);
  }
}

function applyLibraryEvent({ library }: ChainState, event: ChainEvent): void {
  switch (event.name) {
    case "AdvisorySetPublished": {
      const args = event.args as unknown as EventArgs<typeof advisorySetsAbi, "AdvisorySetPublished">;
      library.advisorySets.set(args.digest as Bytes32, args.ids.map(advisoryKey));
      return;
    }
    case "ExpressionDefined": {
      const args = event.args as unknown as EventArgs<typeof endorsementsAbi, "ExpressionDefined">;
      const { op, terms } = args;
      library.expressions.set(args.id as Bytes32, {
        op: op as EndorsementOp,
        terms: terms as readonly Bytes32[],
      });
      return;
    }
    case "ListCreated": {
      const args = event.args as unknown as EventArgs<typeof endorsementsAbi, "ListCreated">;
      library.lists.set(args.list as Bytes32, new Set());
      return;
    }
    case "ListCurated": {
      const args = event.args as unknown as EventArgs<typeof endorsementsAbi, "ListCurated">;
      const members = library.lists.get(args.list as Bytes32);
      if (!members) {
        throw new CharterError("state/unknown-list", "an event names a list before its creation", {
          list: args.list,
        });
      }
      if (args.listed) members.add(args.member as Bytes32);
      else members.delete(args.member as Bytes32);
      return;
    }
    default:
      unchanged(event, ["CuratorChanged", "ListRootChanged"]);
  }
}

/** Events of OpenZeppelin's Ownable2Step and EIP712: who governs a contract is no part of what is decided here. */
const INHERITED = ["OwnershipTransferred", "OwnershipTransferStarted", "EIP712DomainChanged"];

/** Events that say something this projection does not hold, by name; any other is a defect and stops the fold. */
function unchanged(event: ChainEvent, names: readonly string[]): void {
  if (names.includes(event.name) || INHERITED.includes(event.name)) return;
  throw new CharterError("state/unknown-event", "an event has no meaning here", {
    contract: event.contract,
    name: event.name,
  });
}

/**
 * Folds one event into the state, in place. Events must come in chain order and from our contracts only: whoever
 * reads the logs decides which addresses those are.
 * @throws CharterError `state/…` when the event cannot follow what came before; the state is then not usable.
 */
export function applyEvent(state: ChainState, event: ChainEvent): void {
  switch (event.contract) {
    case "app":
      return applyAppEvent(state, event);
    case "nodeRegistry":
      return applyNodeEvent(state, event);
    case "attestationLedger":
      return applyLedgerEvent(state, event);
    case "committeeVerifier":
      return applyCommitteeEvent(state, event);
    case "advisorySets":
    case "endorsements":
      return applyLibraryEvent(state, event);
    case "dcapCollateral":
    case "dcapVerifier":
      if (!applyDcapEvent(state, event)) unchanged(event, []);
      return;
    case "appRegistry":
      // The app's own AppInitialized, next in the same transaction, carries the whole initial state.
      return unchanged(event, ["AppCreated"]);
  }
}
