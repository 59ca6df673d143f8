import { isCharterError } from "../../protocol/errors/CharterError.ts";
import { anyRelayer } from "../session/anyRelayer.ts";
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

/** No single question to a relayer may take longer, so that every configured one is asked while a lease lasts. */
const LEASE_TIMEOUT_MS = 5_000;
/** Denials that fresh evidence may cure: the relayer forgot this key, or its evidence grew too old. */
const CURED_BY_EVIDENCE = new Set(["EvidenceMissing", "EvidenceExpired", "EvidenceTooOld"]);

/**
 * A lease of the first relayer that grants one. Relayers that lack evidence are given some only when nobody grants, all of
 * them at once: one that says so and then lets its answer wait costs no time in which another would have granted.
 * @throws CharterError as `anyRelayer` over every relayer's last word.
 */
export async function leaseFromAny(seams: LeaseSeams, signal: AbortSignal): Promise<HeldLease> {
  const { relayers } = seams;
  const refusals = new Map<RelayerClient, unknown>();
  try {
    return await anyRelayer(relayers, async (relayer) => {
      try {
        return await askOne(seams, relayer, signal);
      } catch (error) {
        refusals.set(relayer, error);
        throw error;
      }
    });
  } catch (error) {
    const curable = relayers.filter((relayer) => isCurable(refusals.get(relayer)));
    if (curable.length === 0) throw error;
    const cured = new Map(curable.map((relayer) => [relayer, cure(seams, relayer, signal)]));
    return Promise.any(cured.values()).catch(() =>
      anyRelayer(relayers, async (relayer) => {
        const attempt = cured.get(relayer);
        if (attempt === undefined) throw refusals.get(relayer);
        return attempt;
      }),
    );
  }
}

async function askOne(
  { terms, sessions }: LeaseSeams,
  relayer: RelayerClient,
  signal: AbortSignal,
): Promise<HeldLease> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(LEASE_TIMEOUT_MS)]);
  const session = await sessions.with(relayer, limit);
  if (session === undefined) return requestLease(relayer, terms, limit);
  try {
    return await requestLease(relayer, terms, limit, session);
  } catch (error) {
    if (session.isOpen || limit.aborted) throw error;
    return requestLease(relayer, terms, limit); // The session broke: it says nothing of the lease.
  }
}

async function cure(seams: LeaseSeams, relayer: RelayerClient, signal: AbortSignal): Promise<HeldLease> {
  await seams.attest(relayer, signal);
  return askOne(seams, relayer, signal);
}

const isCurable = (error: unknown): boolean =>
  isCharterError(error) && CURED_BY_EVIDENCE.has(String(error.details.reason));
