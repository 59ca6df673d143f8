/** What known instances cost a relayer: memory, and the time of one decision, from 1,000 to 100,000 of them. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { decideLease } from "../../relayer/decisions/lease.ts";
import type { LeaseSession } from "../../relayer/decisions/lease.ts";
import type { Projection } from "../../relayer/chain/projection.ts";
import { applyEvent } from "../../protocol/state/applyEvent.ts";
import { packFacts } from "../../protocol/state/instanceWord.ts";
import type { ChainEvent, ChainState } from "../../protocol/state/types.ts";
import { TcbStatus, TeeKind } from "../../protocol/words/enums.ts";
import type { Address, Bytes32 } from "../../protocol/words/hex.ts";

export interface Growth {
  readonly instances: number;
  readonly bytes: number;
  /** Median time of one decision, in microseconds. */
  readonly decisionMicros: number;
}

const SIZES = [1_000, 3_000, 10_000, 30_000, 100_000];
const DECISIONS = 2_000;

const word = (n: number): Bytes32 => `0x${n.toString(16).padStart(64, "0")}` as Bytes32;
const address = (n: number): Address => `0x${n.toString(16).padStart(40, "0")}` as Address;

/** Heap in use after everything unused was collected. */
function heapBytes(): number {
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("gc") as () => void;
  gc();
  gc();
  return process.memoryUsage().heapUsed;
}

const median = (times: readonly number[]): number => [...times].sort((a, b) => a - b)[times.length >> 1] ?? 0;

/**
 * Fills both heights of a real projection with instances, as their events do, and a session for each, as admission does.
 * @param of the session that the others are made after; its app and node stand in the projection.
 */
export function measureGrowth(projection: Projection, of: LeaseSession, chainId: number): Growth[] {
  const { final, newest } = projection;
  const sessions: LeaseSession[] = [];
  const enter = (state: ChainState, n: number): void => {
    const entry = packFacts({
      release: 1,
      node: of.node,
      image: 1,
      kind: TeeKind.Tdx,
      status: TcbStatus.UpToDate,
      simulated: true,
      gpu: false,
      combines: false,
      evidenceBlock: BigInt(of.verdict.evidenceBlock),
      expiresAt: of.verdict.validUntil,
    });
    const event: ChainEvent = {
      contract: "attestationLedger",
      address: of.verdict.consumer,
      name: "InstanceClaimed",
      args: { app: of.app, key: address(n), entry, evidenceDigest: word(n), actor: address(1) },
      blockNumber: newest.block.number,
      blockHash: newest.block.hash,
      blockTimestamp: newest.block.timestamp,
      transactionHash: word(n),
      logIndex: 0,
    };
    applyEvent(state, event);
  };
  const empty = heapBytes();
  return SIZES.map((size) => {
    for (let n = sessions.length + 1; n <= size; n++) {
      enter(final.state, n);
      enter(newest.state, n);
      const key = address(n);
      sessions.push({ ...of, key, verdict: { ...of.verdict, key, evidenceDigest: word(n) } });
    }
    const bytes = heapBytes() - empty;
    const times = Array.from({ length: DECISIONS }, (_, i) => {
      const session = sessions[(i * 7919) % size] as LeaseSession;
      const begun = performance.now();
      const decision = decideLease({
        projection,
        session,
        now: newest.block.timestamp,
        chainId,
        maxHeadAgeSeconds: 3_600,
        maxLeaseSeconds: 60,
      });
      const took = performance.now() - begun;
      if (!decision.allow) throw new Error(`a lease was denied: ${decision.reason}`);
      return took * 1_000;
    });
    return { instances: size, bytes, decisionMicros: median(times) };
  });
}

/** Least-squares slope of y over x. */
export function slope(points: readonly (readonly [number, number])[]): number {
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, each) => sum + each, 0) / values.length;
  const [x, y] = [mean(points.map(([each]) => each)), mean(points.map(([, each]) => each))];
  const over = points.reduce((sum, [px, py]) => sum + (px - x) * (py - y), 0);
  return over / points.reduce((sum, [px]) => sum + (px - x) ** 2, 0);
}
