-- Up Migration

-- Which chain and deployment this database belongs to, and how far it has followed. One row.
CREATE TABLE chain_cursor (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  chain_id bigint NOT NULL,
  genesis_hash text NOT NULL,
  app_registry text NOT NULL,
  final_number bigint NOT NULL,
  final_hash text NOT NULL,
  final_parent_hash text NOT NULL,
  final_timestamp bigint NOT NULL
);

-- Blocks that hold an event, that ended a range, or that a reorg may still take away.
CREATE TABLE blocks (
  number bigint PRIMARY KEY,
  hash text NOT NULL UNIQUE,
  parent_hash text NOT NULL,
  timestamp bigint NOT NULL
);

-- Raw logs: the state is what replaying them gives, so nothing derived is kept.
CREATE TABLE events (
  block_number bigint NOT NULL REFERENCES blocks (number) ON DELETE CASCADE,
  log_index integer NOT NULL,
  transaction_hash text NOT NULL,
  address text NOT NULL,
  topics text[] NOT NULL,
  data text NOT NULL,
  PRIMARY KEY (block_number, log_index)
);

-- One writer per signer: every write under a lease names its fencing number.
CREATE TABLE signer_lease (
  signer text PRIMARY KEY,
  fence bigint NOT NULL,
  holder text NOT NULL,
  expires_at timestamptz NOT NULL,
  next_nonce bigint NOT NULL DEFAULT 0
);

CREATE TABLE intents (
  id text PRIMARY KEY,
  signer text NOT NULL,
  destination text NOT NULL,
  data text NOT NULL,
  label text NOT NULL,
  state text NOT NULL CHECK (state IN ('planned', 'signed', 'sent', 'included', 'final', 'failed')),
  nonce bigint,
  transaction_hash text,
  included_number bigint,
  included_hash text,
  error jsonb,
  attempts integer NOT NULL DEFAULT 0,
  not_before timestamptz NOT NULL DEFAULT now(),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CHECK ((state IN ('planned', 'failed')) OR nonce IS NOT NULL)
);
CREATE INDEX intents_open ON intents (signer, state, created_at) WHERE state NOT IN ('final', 'failed');
-- Two intents never stand on one nonce.
CREATE UNIQUE INDEX intents_nonce ON intents (signer, nonce) WHERE nonce IS NOT NULL;

-- Signed bytes, stored before they are sent; a replacement is one more row of the same nonce.
CREATE TABLE transactions (
  hash text PRIMARY KEY,
  intent_id text NOT NULL REFERENCES intents (id) ON DELETE CASCADE,
  nonce bigint NOT NULL,
  raw text NOT NULL,
  max_fee_per_gas numeric(78, 0) NOT NULL,
  max_priority_fee_per_gas numeric(78, 0) NOT NULL,
  gas numeric(78, 0) NOT NULL,
  sent_at_block bigint,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX transactions_intent ON transactions (intent_id, nonce);

-- Evidence that was verified, and the one purpose, subject, key and node that it may serve.
CREATE TABLE evidence (
  digest text PRIMARY KEY,
  purpose text NOT NULL CHECK (purpose IN ('instance', 'node')),
  subject text NOT NULL,
  key text NOT NULL,
  node bigint,
  verdict jsonb NOT NULL,
  evidence jsonb NOT NULL,
  evidence_block bigint NOT NULL,
  valid_until bigint NOT NULL,
  accepted_at bigint NOT NULL,
  CHECK ((purpose = 'instance') = (node IS NOT NULL))
);
CREATE INDEX evidence_key ON evidence (purpose, subject, key, evidence_block DESC);

-- Manifests and notes by the SHA-256 of their bytes.
CREATE TABLE blobs (
  digest text PRIMARY KEY,
  bytes bytea NOT NULL CHECK (octet_length(bytes) <= 1048576),
  created_at timestamptz NOT NULL DEFAULT now()
);

-- A committee signer's memory: never two verdicts over one piece of evidence.
CREATE TABLE signed_verdicts (
  evidence_digest text PRIMARY KEY,
  verdict_digest text NOT NULL,
  signature text,
  created_at timestamptz NOT NULL DEFAULT now()
);

-- Down Migration

DROP TABLE signed_verdicts, blobs, evidence, transactions, intents, signer_lease, events, blocks, chain_cursor;
