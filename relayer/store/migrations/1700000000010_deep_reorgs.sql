-- Up Migration

-- A block that was called final and that a reorg took back: nothing is granted until an operator has seen it.
ALTER TABLE chain_cursor
  ADD COLUMN taken_back_number bigint,
  ADD COLUMN taken_back_hash text,
  ADD CHECK ((taken_back_number IS NULL) = (taken_back_hash IS NULL));

-- Down Migration

ALTER TABLE chain_cursor DROP COLUMN taken_back_number, DROP COLUMN taken_back_hash;
