-- Up Migration

-- What is over is deleted (relayer/retention). For each row that goes, these references would be looked for in every row of
-- the other table: neither has an index by them, which every verdict would pay for. Evidence and its proofs are written in
-- one transaction and deleted in one; leaves are read only while their batch is open, and no proof of an open batch goes.
ALTER TABLE proofs DROP CONSTRAINT proofs_evidence_digest_fkey;
ALTER TABLE batch_leaves DROP CONSTRAINT batch_leaves_proof_fkey;

-- Whether an intent is a batch's: one row for a thousand verdicts.
CREATE INDEX batches_intent ON batches (intent);

-- What a claim was made of, where no verdict stands beside it: too old a block is judged by nobody any more.
ALTER TABLE signed_verdicts ADD COLUMN evidence_block bigint;

-- Down Migration

ALTER TABLE signed_verdicts DROP COLUMN evidence_block;
DROP INDEX batches_intent;
DELETE FROM batch_leaves WHERE NOT EXISTS (SELECT FROM proofs WHERE proofs.id = batch_leaves.proof);
DELETE FROM proofs WHERE NOT EXISTS (SELECT FROM evidence WHERE evidence.digest = proofs.evidence_digest);
ALTER TABLE batch_leaves ADD FOREIGN KEY (proof) REFERENCES proofs (id) ON DELETE CASCADE;
ALTER TABLE proofs ADD FOREIGN KEY (evidence_digest) REFERENCES evidence (digest) ON DELETE CASCADE;
