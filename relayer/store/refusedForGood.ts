/**
 * What contracts refuse of evidence itself: no later moment and no other proof of it would be taken. Every other refusal
 * may pass.
 */
const ERRORS = [
  "BadKeySignature",
  "BadOperatorSignature",
  "EvidenceBlockMismatch",
  "EvidenceNotNewer",
  "EvidenceTooOld",
  "FactsChanged",
  "KindChanged",
  "NodeIsRetired",
  "OperatorChanged",
  "PlatformChanged",
  "PlatformMismatch",
  "SimulatedChanged",
  "SimulatedOnProductionChain",
  "StatusNotAcceptable",
  "UnexpectedComposeHash",
  "WrongConsumer",
];

/** Whether an intent's row says so, in SQL. */
export const REFUSED_FOR_GOOD = `coalesce(intents.error->'details'->>'error' IN (${ERRORS.map((name) => `'${name}'`).join(", ")}), false)`;
