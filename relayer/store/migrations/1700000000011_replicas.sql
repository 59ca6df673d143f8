-- Up Migration

-- Replicas that have been heard of lately.
CREATE TABLE replicas (
  id text PRIMARY KEY,
  expires_at timestamptz NOT NULL
);

-- Who does which work. Every holder has another fence than the one before, and writes name it.
CREATE TABLE work_leases (
  name text PRIMARY KEY,
  fence bigint NOT NULL,
  holder text NOT NULL,
  expires_at timestamptz NOT NULL
);

-- Down Migration

DROP TABLE work_leases, replicas;
