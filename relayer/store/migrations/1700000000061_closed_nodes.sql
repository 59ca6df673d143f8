-- Up Migration

-- The last report of a node that takes on nothing new, and since when it has said so without a pause. Unix seconds.
ALTER TABLE node_reports
  ADD COLUMN closed_report text,
  ADD COLUMN closed_at bigint,
  ADD COLUMN closed_signature text,
  ADD COLUMN closed_since bigint;

-- Down Migration

ALTER TABLE node_reports
  DROP COLUMN closed_report,
  DROP COLUMN closed_at,
  DROP COLUMN closed_signature,
  DROP COLUMN closed_since;
