import { isCharterError } from "../../protocol/errors/CharterError.ts";
import { worstOf } from "../session/anyRelayer.ts";
import { firstOf, type Attempt } from "../session/firstOf.ts";
import type { RelayerClient } from "../session/RelayerClient.ts";
import type { SessionKeeper } from "../session/SessionKeeper.ts";
import { requestLease, type HeldLease, type LeaseTerms } from "./requestLease.ts";

export interface LeaseSeams {
  readonly relayers: readonly RelayerClient[];
  readonly terms: LeaseTerms;
  readonly sessions: SessionKeeper;
  /** Gives one relayer fresh evidence. */
  readonly attest: (relayer: RelayerClient, signal: AbortSignal) => Promise<void>;
}

/** No single question to a relayer may take longer. */
const LEASE_TIMEOUT_MS = 5_000;
/** A relayer that is silent for so long is not waited for before the next one is asked, too. */
const PAUSE_MS = 500;
/** A session that takes longer to open is used the next time. */
const OPENING_MS = 1_500;
/** Denials that fresh evidence may cure: the relayer forgot this key, or its evidence grew too old. */
const CURED_BY_EVIDENCE = new Set(["EvidenceMissing", "EvidenceExpired", "EvidenceTooOld"]);

/**
 * A lease of the first relayer that grants one. Relayers are asked one after another, without waiting for those that are silent:
 * all have been asked within a quarter of what is left of the lease that is to be renewed, whatever they are. Relayers that
 * lack evidence are given some only when nobody has granted a while after that, all of them at once: one that says so and then
 * lets its answer wait costs no time in which another would have granted. Each question has a nonce of its own; an answer that
 * comes when it is needed no more is nobody's lease.
 * @param expiresAt by the clock of `terms`: when the lease that is to be renewed ends.
 * @throws CharterError as `anyRelayer` over every relayer's last word.
 */
export async function leaseFromAny(
  seams: LeaseSeams,
  signal: AbortSignal,
  expiresAt = Infinity,
): Promise<HeldLease> {
  const { relayers, terms } = seams;
  const { clock } = terms;
  const quarter = Math.max(0, expiresAt - clock.now()) / 4;
  const ask = (relayer: RelayerClient, over: AbortSignal): Promise<HeldLease> =>
    askOne(seams, { relayer, signal, over, openingMs: Math.min(OPENING_MS, quarter) });
  const asked: Promise<HeldLease>[] = [];
  const asks = relayers.map((relayer): Attempt<HeldLease> => (over) => {
    const answer = ask(relayer, over);
    asked.push(answer);
    return answer;
  });
  const cureAll: Attempt<HeldLease> = async (over) => {
    // Those that take long to answer may yet grant.
    const patience = clock.sleep(Math.min(LEASE_TIMEOUT_MS, quarter), AbortSignal.any([over, signal]));
    await Promise.race([Promise.allSettled(asked), patience]);
    return Promise.any(
      relayers.map(async (relayer, i) => {
        const refusal = await asked[i]?.then(
          () => undefined,
          (error: unknown) => error,
        );
        if (!isCurable(refusal) || over.aborted) throw refusal;
        await seams.attest(relayer, signal);
        return ask(relayer, over);
      }),
    );
  };
  try {
    return await firstOf([...asks, cureAll], {
      clock,
      pauseMs: Math.min(PAUSE_MS, quarter / relayers.length),
    });
  } catch (error) {
    throw lastWords(relayers, error);
  }
}

interface Question {
  readonly relayer: RelayerClient;
  readonly signal: AbortSignal;
  /** Given when another relayer has granted. */
  readonly over: AbortSignal;
  readonly openingMs: number;
}

/**
 * What is under way in a session goes on when it is over: giving up on one answer would end the session, and with it what the
 * relayer tells unasked.
 */
async function askOne(
  { terms, sessions }: LeaseSeams,
  { relayer, signal, over, openingMs }: Question,
): Promise<HeldLease> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(LEASE_TIMEOUT_MS)]);
  const alone = (): Promise<HeldLease> => requestLease(relayer, terms, AbortSignal.any([limit, over]));
  const session = await sessions.with(relayer, openingMs, limit);
  if (session === undefined || over.aborted) return alone();
  try {
    return await requestLease(relayer, terms, limit, session);
  } catch (error) {
    if (session.isOpen || limit.aborted) throw error;
    return alone(); // The session broke: it says nothing of the lease.
  }
}

/** Of the last attempt, which knows every relayer's. */
function lastWords(relayers: readonly RelayerClient[], error: unknown): unknown {
  const last: unknown = error instanceof AggregateError ? error.errors.at(-1) : error;
  if (!(last instanceof AggregateError)) return last;
  const failures = relayers.map(({ url }, i) => ({ url, error: last.errors[i] as unknown }));
  const defect = failures.find((failure) => !isCharterError(failure.error));
  return defect === undefined ? worstOf(failures as Parameters<typeof worstOf>[0]) : defect.error;
}

const isCurable = (error: unknown): boolean =>
  isCharterError(error) && CURED_BY_EVIDENCE.has(String(error.details.reason));
