-- Up Migration

-- Leases that may still run, as the replicas that granted them told. Nothing is granted on it, and a server that fell
-- learns it anew within a lease's length: so it is kept out of the log of writes.
CREATE UNLOGGED TABLE granted_leases (
  app text NOT NULL,
  key text NOT NULL,
  node bigint NOT NULL,
  release bigint NOT NULL,
  compose_hash text NOT NULL,
  until bigint NOT NULL,
  replica text NOT NULL,
  told_at timestamptz NOT NULL,
  PRIMARY KEY (app, key)
);
CREATE INDEX granted_leases_told_at ON granted_leases (told_at);

-- Down Migration

DROP TABLE granted_leases;
