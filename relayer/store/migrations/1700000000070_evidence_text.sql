-- Up Migration

-- Evidence is read whole or not at all, and most of it is signatures in hex: taken apart and compressed on its way in, a
-- piece costs the database five times what it costs as the text that it is, for a third of its size.
ALTER TABLE evidence ALTER COLUMN evidence TYPE json USING evidence::json;
ALTER TABLE evidence ALTER COLUMN evidence SET STORAGE EXTERNAL;

-- Down Migration

ALTER TABLE evidence ALTER COLUMN evidence TYPE jsonb USING evidence::jsonb;
ALTER TABLE evidence ALTER COLUMN evidence SET STORAGE EXTENDED;
