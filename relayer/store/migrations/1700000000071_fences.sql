-- Up Migration

-- Proofs and batches belong to shards of apps, which leases deal out among replicas (work_leases).
ALTER TABLE proofs
  -- Lease that one needs to take it. A replica of an earlier version, which does not know, leaves the first.
  ADD COLUMN shard text NOT NULL DEFAULT 'apps/0',
  -- Fence of the lease that it was taken under last: under a later one it is taken over at once.
  ADD COLUMN fence bigint NOT NULL DEFAULT 0,
  -- Goes up with each taking: only who took it last may write what came of it.
  ADD COLUMN hold bigint NOT NULL DEFAULT 0;
UPDATE proofs SET shard = 'apps/' || ('x' || right(evidence.subject, 2))::bit(8)::int % 32
  FROM evidence WHERE evidence.digest = proofs.evidence_digest;

ALTER TABLE batches
  -- By its root: it may have leaves of many apps.
  ADD COLUMN shard text NOT NULL DEFAULT 'apps/0',
  ADD COLUMN fence bigint NOT NULL DEFAULT 0,
  ADD COLUMN hold bigint NOT NULL DEFAULT 0;
UPDATE batches SET shard = 'apps/' || ('x' || right(root, 2))::bit(8)::int % 32;

-- Intents that ended without their effect, and the proofs that still count on one.
CREATE INDEX intents_ended ON intents (id) WHERE state IN ('failed', 'replaced');
CREATE INDEX proofs_planned ON proofs (intent) WHERE state = 'planned';

-- Down Migration

DROP INDEX intents_ended, proofs_planned;
ALTER TABLE batches DROP COLUMN shard, DROP COLUMN fence, DROP COLUMN hold;
ALTER TABLE proofs DROP COLUMN shard, DROP COLUMN fence, DROP COLUMN hold;
