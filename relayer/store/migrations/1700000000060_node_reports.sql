-- Up Migration

-- A node's last word on its capacity and its trouble: the exact text, with the signature that anyone can check.
CREATE TABLE node_reports (
  key text PRIMARY KEY,
  report text NOT NULL,
  signed_at bigint NOT NULL,
  signature text NOT NULL
);

-- Down Migration

DROP TABLE node_reports;
