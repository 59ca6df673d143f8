-- Up Migration

-- What instances say of keys beside their own, under their signatures. One for each purpose: the newest.
CREATE TABLE key_bindings (
  app text NOT NULL,
  instance text NOT NULL,
  purpose smallint NOT NULL,
  ledger text NOT NULL,
  public_key bytea NOT NULL CHECK (octet_length(public_key) BETWEEN 1 AND 512),
  not_after bigint NOT NULL,
  signature text NOT NULL,
  PRIMARY KEY (app, instance, purpose)
);

-- Ciphertexts that only the app's key opens, under a signature that its manifest names. The counter never falls, and a
-- secret that was taken away stays as one without an envelope.
CREATE TABLE secrets (
  app text NOT NULL,
  name text NOT NULL,
  counter bigint NOT NULL,
  digest text NOT NULL,
  envelope text,
  signature text NOT NULL,
  set_at bigint NOT NULL,
  PRIMARY KEY (app, name)
);

-- Down Migration

DROP TABLE secrets;
DROP TABLE key_bindings;
