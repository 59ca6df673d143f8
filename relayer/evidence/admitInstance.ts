import type { Deployment } from "../../protocol/deployment/deployment.ts";
import { CharterError } from "../../protocol/errors/CharterError.ts";
import { requiredProofs } from "../../protocol/policy/judge.ts";
import { effectiveSetting, ZERO_KEY } from "../../protocol/policy/settings.ts";
import { SettingKind } from "../../protocol/policy/settingKind.ts";
import type {
  Accepted,
  EvidenceMessage,
  InstanceRegistration,
  VerdictMessage,
} from "../../protocol/session/messages.ts";
import { ProofSystem } from "../../protocol/words/enums.ts";
import type { Address, Bytes32 } from "../../protocol/words/hex.ts";
import type { Projection } from "../chain/projection.ts";
import type { LeaseDecision, LeaseSession } from "../decisions/lease.ts";
import { denialError } from "../leases/denial.ts";
import { intentId } from "../outbox/intent.ts";
import type { EvidenceStore } from "../store/evidenceStore.ts";
import { requireInstanceConsent } from "./consent.ts";
import { directProof } from "./directProof.ts";
import type { EvidenceJudge } from "./judgeEvidence.ts";

export interface AdmitInstanceOptions {
  readonly deployment: Deployment;
  readonly projection: () => Projection;
  readonly judge: EvidenceJudge;
  readonly evidence: Pick<EvidenceStore, "accept">;
  /** The same decision that every lease of this session will meet. */
  readonly decide: (session: LeaseSession, now: number) => LeaseDecision;
  /** From now on this session may ask for leases. */
  readonly admit: (session: LeaseSession) => void;
  /** There is something to prove: these effects. */
  readonly onAccepted: (proofs: readonly Bytes32[]) => void;
  /** Unix seconds. */
  readonly now: () => number;
}

/**
 * `POST /instances`: verifies a guest's evidence, asks the same decision that its leases will meet, binds the evidence
 * to this key for good, and keeps in the same transaction which proofs it shall have; they are made behind it
 * (`Prover`, relayer/batches). The session stands before the proof does: a lease follows from verified evidence, proofs
 * are posted after it (DESIGN section 3). The answer names the first of these effects.
 * @throws CharterError `app/unknown`, `node/unknown`, `instance/denied` with `details.reason`, `evidence/…`,
 * `proof/not-offered`, `proof/direct-impossible`, `chain/…`, `collateral/…`.
 */
export function instanceAdmission(
  options: AdmitInstanceOptions,
): (message: InstanceRegistration) => Promise<Accepted> {
  const { deployment, projection, judge, evidence: store, decide, admit, onAccepted, now } = options;
  const { chainId, attestationLedger: ledger } = deployment;
  return async ({ app, node, key, evidence, keySignature }) => {
    requireKnown(projection(), app, node); // Before any work: strangers' evidence costs nothing.
    const judged = await judge({ purpose: "instance", subject: app, key }, evidence);
    const { evidenceDigest } = judged;
    await requireInstanceConsent({ chainId, ledger }, { app, key, evidenceDigest, signature: keySignature });

    requirePlatformAndAge(projection(), app, node, judged);
    const session = { app, key, node, verdict: judged };
    const decision = decide(session, now());
    if (!decision.allow) throw denialError("instance/denied", decision);
    const { systems, combines } = systemsOf(projection(), app);
    if (systems.includes(ProofSystem.Direct)) requireDirect(deployment, { app, key, evidence, judged });
    const proofs = systems.map((system) => ({
      id: intentId({ chainId, contract: ledger, subject: app, key, evidenceDigest, system }),
      evidenceDigest,
      system,
      batchable: system === ProofSystem.Committee,
      combines,
      keySignature,
      operatorSignature: null,
    }));
    const binding = { digest: evidenceDigest, purpose: "instance", subject: app, key, node } as const;
    await store.accept({ ...binding, verdict: judged, evidence, acceptedAt: now() }, proofs);
    onAccepted(proofs.map(({ id }) => id));
    admit(session);
    const [first] = proofs as [(typeof proofs)[number], ...(typeof proofs)[number][]];
    return { intent: first.id, release: decision.release };
  };
}

/** Systems that this relayer has proofs of, in the order in which they are posted: what the chain checks itself first. */
const OFFERED = [ProofSystem.Direct, ProofSystem.Committee] as const;

/** What the chain could never judge is refused now: a session whose proof cannot come would only seem to be one. */
function requireDirect(
  { dcapVerifier }: Deployment,
  of: { app: Address; key: Address; evidence: EvidenceMessage; judged: VerdictMessage },
): void {
  const { app, key, evidence, judged } = of;
  const claim = { purpose: "instance", subject: app, key } as const;
  if (dcapVerifier !== undefined && directProof(claim, evidence, judged, []) !== null) return;
  throw new CharterError(
    "proof/direct-impossible",
    "the app requires a direct proof, and the chain cannot judge this evidence",
    { kind: evidence.kind, evidenceDigest: judged.evidenceDigest },
  );
}

/** `combines`: this proof is one of several, a zero-knowledge one that somebody else posts among them. */
function systemsOf(
  { final, newest }: Projection,
  app: Address,
): { readonly systems: readonly (typeof OFFERED)[number][]; readonly combines: boolean } {
  const state = newest.state.apps.get(app) ?? final.state.apps.get(app);
  const bits = state === undefined ? 0 : requiredProofs(state, newest.block.timestamp);
  const systems = OFFERED.filter((system) => (bits & (1 << system)) !== 0);
  if (systems.length > 0) return { systems, combines: (bits & (bits - 1)) !== 0 };
  throw new CharterError("proof/not-offered", "the app requires proofs that this relayer does not make", {
    expected: bits,
    actual: OFFERED,
  });
}

/** Grants need the final block: an app or a node that is not final yet is not known yet. */
function requireKnown({ final }: Projection, app: Address, node: number): void {
  if (!final.state.apps.has(app)) {
    throw new CharterError("app/unknown", "no app at this address stands in the final block", { app });
  }
  if (!final.state.nodes.has(node)) {
    throw new CharterError("node/unknown", "no node of this number stands in the final block", { node });
  }
}

/** What the ledger will check again: the registered platform, and the app's own bound on the evidence's age. */
function requirePlatformAndAge(
  { final, newest }: Projection,
  app: Address,
  node: number,
  verdict: VerdictMessage,
): void {
  const platformId = final.state.nodes.get(node)?.platformId;
  if (platformId !== verdict.platformId) {
    throw new CharterError(
      "evidence/platform-mismatch",
      "the evidence is of another platform than the node",
      {
        expected: platformId,
        actual: verdict.platformId,
      },
    );
  }
  const state = newest.state.apps.get(app) ?? final.state.apps.get(app);
  if (state === undefined) throw new CharterError("app/unknown", "no app at this address", { app });
  const maxAgeBlocks = effectiveSetting(state, SettingKind.MaxEvidenceAge, ZERO_KEY, newest.block.timestamp);
  const age = newest.block.number - BigInt(verdict.evidenceBlock);
  if (age > maxAgeBlocks) {
    throw new CharterError("evidence/too-old", "the app refuses evidence this old", {
      maxAgeBlocks,
      actual: age,
    });
  }
}
