-- Up Migration

-- A quote is most of its evidence: as bytes it is half as long as in hex, to write and to keep. Signatures and keys: nothing
-- of it can be compressed. Null where it stands in the JSON, as earlier versions wrote it, or is no hex.
ALTER TABLE evidence ADD COLUMN quote bytea;
ALTER TABLE evidence ALTER COLUMN quote SET STORAGE EXTERNAL;

-- Verdicts are read whole as well.
ALTER TABLE evidence ALTER COLUMN verdict TYPE json USING verdict::json;
ALTER TABLE signed_verdicts ALTER COLUMN verdict TYPE json USING verdict::json;

-- A proof's row changes three times at least: with room beside it a change need not touch every index.
ALTER TABLE proofs SET (fillfactor = 50);
-- Nobody looks proofs up by their evidence.
DROP INDEX proofs_evidence;

-- Down Migration

CREATE INDEX proofs_evidence ON proofs (evidence_digest);
ALTER TABLE proofs RESET (fillfactor);
ALTER TABLE signed_verdicts ALTER COLUMN verdict TYPE jsonb USING verdict::jsonb;
ALTER TABLE evidence ALTER COLUMN verdict TYPE jsonb USING verdict::jsonb;

UPDATE evidence SET evidence = (evidence::jsonb || jsonb_build_object('quote', '0x' || encode(quote, 'hex')))::json
  WHERE quote IS NOT NULL;
ALTER TABLE evidence DROP COLUMN quote;
