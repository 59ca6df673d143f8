/**
 * Many guests in one process: each opens its session by its own key and renews its lease at its own time, with the
 * worker's own code. Reads its task from `CHARTER_BENCH` and prints JSON lines: `opened`, then one `round` per interval.
 */
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import { isCharterError } from "../../protocol/errors/CharterError.ts";
import { leaseLeaf, leaseRoot, recoverLeaseSigner } from "../../protocol/session/lease.ts";
import { toHex } from "../../protocol/words/hex.ts";
import type { Address, Bytes32 } from "../../protocol/words/hex.ts";
import { localAccount } from "../../relayer/keys/localAccount.ts";
import { RelayerSession, type SessionTerms } from "../../worker/session/RelayerSession.ts";
import { keyAt } from "./sessionKeys.ts";

export interface SessionTask {
  readonly url: string;
  readonly chainId: number;
  readonly ledger: Address;
  readonly app: Address;
  readonly leaseSigner: Address;
  readonly sessions: number;
  readonly intervalSeconds: number;
  readonly rounds: number;
}

/** Handshakes at once. */
const AT_ONCE = 16;
/** Every so many leases one signature is recovered; of the others the path is computed. */
const RECOVER_EVERY = 500;

const task = JSON.parse(process.env["CHARTER_BENCH"] ?? "") as SessionTask;
const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

const terms = { chainId: task.chainId, ledger: task.ledger, app: task.app, leaseSigners: [task.leaseSigner] };
const sessions: RelayerSession[] = [];

/** As a guest does: what was not answered in time is tried again. */
async function open(of: SessionTerms): Promise<RelayerSession> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await RelayerSession.open(task.url, of, () => undefined);
    } catch (error) {
      if (attempt === 60 || !isCharterError(error)) throw error;
      say({ retried: error.code });
      await sleep(1_000);
    }
  }
}

let latencies: number[] = [];
let late = 0;
let asked = 0;
async function renew(session: RelayerSession): Promise<number> {
  const nonce = toHex(randomBytes(32)) as Bytes32;
  const sentAt = performance.now();
  const signed = await session.lease(nonce);
  const took = performance.now() - sentAt;
  if (signed.lease.nonce !== nonce) throw new Error("a lease for another nonce");
  leaseRoot(leaseLeaf(signed.lease), signed.path);
  if (asked++ % RECOVER_EVERY === 0) {
    const signer = await recoverLeaseSigner(task.chainId, task.ledger, signed);
    if (signer !== task.leaseSigner) throw new Error(`a lease by ${signer}`);
  }
  return took;
}

/** Renews for good, from a time of its own within the interval. A lease that is refused ends the bench. */
function keepRenewing(session: RelayerSession): void {
  const intervalMs = task.intervalSeconds * 1_000;
  let due = performance.now() + Math.random() * intervalMs;
  const ask = async (): Promise<void> => {
    if (performance.now() - due > 1_000) late++;
    const took = await renew(session);
    latencies.push(took);
    due += intervalMs;
    setTimeout(() => void ask(), Math.max(0, due - performance.now()));
  };
  setTimeout(() => void ask(), due - performance.now());
}

let next = 0;
const started = performance.now();
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    for (let index = next++; index < task.sessions; index = next++) {
      const account = localAccount(keyAt(index)); // Signs in a quarter of the time: all guests share one core here.
      const session = await open({ ...terms, account });
      sessions[index] = session;
      keepRenewing(session);
    }
  }),
);

say({ opened: sessions.length, seconds: (performance.now() - started) / 1_000 });
for (let round = 0; round < task.rounds; round++) {
  [latencies, late] = [[], 0];
  await sleep(task.intervalSeconds * 1_000);
  latencies.sort((a, b) => a - b);
  const at = (share: number): number => latencies[Math.floor(latencies.length * share)] ?? NaN;
  say({ round, renewed: latencies.length, late, p50: at(0.5), p99: at(0.99) });
}
process.exit(0);
