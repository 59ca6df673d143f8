-- Up Migration

-- Manifests of GPUs' drivers and VBIOSes by NVIDIA's id: verified before they were kept, shared by replicas, and there when
-- the vendor is not.
CREATE TABLE gpu_rims (
  id text PRIMARY KEY,
  xml text NOT NULL CHECK (octet_length(xml) <= 524288),
  fetched_at bigint NOT NULL
);

-- OCSP responses by certificate, the same; whatever they say: one that revokes must outlive a restart. Their date (unix
-- seconds) never falls.
CREATE TABLE ocsp_responses (
  certificate text PRIMARY KEY,
  response bytea NOT NULL CHECK (octet_length(response) <= 16384),
  this_update bigint NOT NULL,
  fetched_at bigint NOT NULL
);

-- Down Migration

DROP TABLE ocsp_responses;
DROP TABLE gpu_rims;
