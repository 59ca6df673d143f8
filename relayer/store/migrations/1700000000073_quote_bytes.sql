-- Up Migration

-- A quote is most of its evidence: as bytes it is half as long as in hex, to write and to keep. Signatures and keys: nothing
-- of it can be compressed. Null where it stands in the JSON, as earlier versions wrote it, or is no hex.
ALTER TABLE evidence ADD COLUMN quote bytea;
ALTER TABLE evidence ALTER COLUMN quote SET STORAGE EXTERNAL;

-- Down Migration

UPDATE evidence SET evidence = (evidence::jsonb || jsonb_build_object('quote', '0x' || encode(quote, 'hex')))::json
  WHERE quote IS NOT NULL;
ALTER TABLE evidence DROP COLUMN quote;
