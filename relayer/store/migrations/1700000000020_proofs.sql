-- Up Migration

-- Proofs that accepted evidence shall have. A row is written with the acceptance itself, so that no crash loses one.
CREATE TABLE proofs (
  -- Idempotency key of the effect on chain, known before the proof is.
  id text PRIMARY KEY,
  evidence_digest text NOT NULL REFERENCES evidence (digest) ON DELETE CASCADE,
  -- Null: the chain's own judgement where it can judge, else the committee's.
  system smallint,
  -- Whether a committee's word of it may come in a batch.
  batchable boolean NOT NULL,
  combines boolean NOT NULL,
  key_signature text NOT NULL,
  operator_signature text,
  -- wanted → planned; or wanted → batched → claimed, or refused by the chain: failed.
  state text NOT NULL DEFAULT 'wanted' CHECK (state IN ('wanted', 'planned', 'batched', 'failed')),
  -- Intent that brings it onto the chain, once there is one.
  intent text,
  attempts integer NOT NULL DEFAULT 0,
  not_before timestamptz NOT NULL DEFAULT now(),
  -- Until when a replica works on it; another takes it over then.
  held_until timestamptz NOT NULL DEFAULT '-infinity',
  error jsonb,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX proofs_wanted ON proofs (batchable, not_before) WHERE state = 'wanted';
CREATE INDEX proofs_evidence ON proofs (evidence_digest);

-- Batches that a committee signed, stored before they are posted.
CREATE TABLE batches (
  root text PRIMARY KEY,
  intent text NOT NULL,
  count integer NOT NULL,
  state text NOT NULL CHECK (state IN ('posting', 'claiming', 'done', 'failed')),
  looked_at timestamptz NOT NULL DEFAULT '-infinity',
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX batches_open ON batches (looked_at) WHERE state IN ('posting', 'claiming');

CREATE TABLE batch_leaves (
  root text NOT NULL REFERENCES batches (root) ON DELETE CASCADE,
  -- Place in the tree's order.
  position integer NOT NULL,
  proof text NOT NULL REFERENCES proofs (id) ON DELETE CASCADE,
  facts text NOT NULL,
  -- Intent that claims it, together with its neighbours of the same intent.
  claim text,
  PRIMARY KEY (root, position)
);
CREATE INDEX batch_leaves_claim ON batch_leaves (claim);

-- What a signer found, so that it can sign a batch of it without the evidence.
ALTER TABLE signed_verdicts ADD COLUMN verdict jsonb, ADD COLUMN judged_at timestamptz;

-- Down Migration

ALTER TABLE signed_verdicts DROP COLUMN verdict, DROP COLUMN judged_at;
DROP TABLE batch_leaves, batches, proofs;
