-- Up Migration

-- CAs of AMD's lines of processors and their root's revocation list: verified before they were kept, shared by replicas,
-- and there when the vendor is not. The list's date (unix seconds) never falls.
CREATE TABLE amd_issuers (
  family text PRIMARY KEY,
  ask bytea NOT NULL,
  ark bytea NOT NULL,
  crl bytea NOT NULL,
  crl_issued bigint NOT NULL,
  fetched_at bigint NOT NULL
);

-- Certificates of chips' keys, one per chip and firmware version: the vendor publishes each once.
CREATE TABLE amd_vceks (
  chip text PRIMARY KEY,
  certificate bytea NOT NULL,
  fetched_at bigint NOT NULL
);

-- Down Migration

DROP TABLE amd_vceks;
DROP TABLE amd_issuers;
