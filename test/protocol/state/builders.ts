import { SettingKind } from "../../../protocol/policy/settingKind.ts";
import { applyEvent } from "../../../protocol/state/applyEvent.ts";
import { emptyChainState } from "../../../protocol/state/chainState.ts";
import type { ChainEvent, ChainState } from "../../../protocol/state/types.ts";
import type { Address, Bytes32 } from "../../../protocol/words/hex.ts";

export const word = (n: number) => `0x${n.toString(16).padStart(64, "0")}` as Bytes32;
export const account = (n: number) => `0x${n.toString(16).padStart(40, "0")}` as Address;

export const APP = account(0xa990);
export const OWNER = account(0xa1);
export const GUARDIAN = account(0xa2);
const NOBODY = account(0);

/** A history under construction: each event is folded at the time given. */
export class History {
  readonly state: ChainState = emptyChainState();
  #block = 0;

  add(
    contract: ChainEvent["contract"],
    address: Address,
    name: string,
    args: Record<string, unknown>,
    time: number,
  ) {
    this.#block += 1;
    applyEvent(this.state, {
      contract,
      address,
      name,
      args,
      blockNumber: BigInt(this.#block),
      blockHash: word(0xb10c0000 + this.#block),
      blockTimestamp: time,
      transactionHash: word(this.#block),
      logIndex: 0,
    });
    return this;
  }

  app(name: string, args: Record<string, unknown>, time: number, address: Address = APP) {
    return this.add("app", address, name, args, time);
  }

  /** An app that takes TDX, UpToDate, any node, image 6 with digest 7, committee proofs; release 1 unless told. */
  create(time: number, change: { composeHash?: Bytes32; settings?: object[]; address?: Address } = {}) {
    const on = (kind: SettingKind, key: number, value = 1n) => ({ kind, key: word(key), value });
    return this.app(
      "AppInitialized",
      {
        registry: account(0xc1),
        owner: OWNER,
        guardian: GUARDIAN,
        settings: {
          noticeSeconds: 60,
          graceSeconds: 30,
          composeHash: change.composeHash ?? word(0x1001),
          noteDigest: word(0x2001),
          settings: change.settings ?? [
            on(SettingKind.TeeKind, 1),
            on(SettingKind.TcbStatus, 1),
            on(SettingKind.AnyNode, 0),
            on(SettingKind.OsImage, 6, 7n),
            on(SettingKind.ProofSystem, 2),
          ],
        },
      },
      time,
      change.address ?? APP,
    );
  }

  propose(number: number, activatesAt: number, time: number, change: Record<string, unknown> = {}) {
    return this.app(
      "ReleaseProposed",
      {
        number,
        composeHash: word(0x1000 + number),
        noteDigest: word(0x2000 + number),
        activatesAt,
        graceSeconds: 30,
        predecessor: number - 1,
        predecessorEndsAt: activatesAt + 30,
        cutRelease: 0,
        actor: OWNER,
        ...change,
      },
      time,
    );
  }

  replicas(count: number, time: number, selector: Record<string, unknown> = {}) {
    return this.app(
      "ReplicasChanged",
      {
        oldReplicas: 0,
        newReplicas: count,
        selector: { teeKinds: 0, gpu: false, operators: [], ...selector },
        actor: OWNER,
      },
      time,
    );
  }

  node(number: number, time: number, change: Record<string, unknown> = {}) {
    return this.add(
      "nodeRegistry",
      account(0xc2),
      "NodeRegistered",
      {
        number,
        platformId: word(0xf000 + number),
        operator: account(0x0e00 + number),
        key: account(0x1e00 + number),
        kind: 1,
        status: 1,
        simulated: true,
        record: 0,
        evidenceDigest: word(0xe000 + number),
        evidenceBlock: 1n,
        attestedAt: time,
        expiresAt: time + 100_000,
        actor: NOBODY,
        ...change,
      },
      time,
    );
  }

  image(number: number, time: number, change: Record<string, unknown> = {}) {
    return this.add(
      "attestationLedger",
      account(0xc3),
      "ImageKept",
      {
        image: number,
        osImageHash: word(6),
        measurementDigest: word(7),
        pinnedMeasurementDigest: word(8),
        advisoriesDigest: word(0),
        actor: NOBODY,
        ...change,
      },
      time,
    );
  }
}
