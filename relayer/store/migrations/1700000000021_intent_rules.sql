-- Up Migration

ALTER TABLE intents
  DROP CONSTRAINT intents_state_check,
  ADD CONSTRAINT intents_state_check
    CHECK (state IN ('planned', 'signed', 'sent', 'included', 'final', 'failed', 'replaced')),
  DROP CONSTRAINT intents_check,
  ADD CONSTRAINT intents_nonce_held CHECK (state IN ('planned', 'failed', 'replaced') OR nonce IS NOT NULL),
  -- Unix seconds after which it shall not happen any more.
  ADD COLUMN deadline bigint,
  -- Refusals by the node since it last took something.
  ADD COLUMN refusals integer NOT NULL DEFAULT 0,
  -- Why its nonce is being used up by a transfer of nothing to oneself.
  ADD COLUMN cancelled jsonb;
DROP INDEX intents_open;
CREATE INDEX intents_open ON intents (signer, state, created_at) WHERE state NOT IN ('final', 'failed', 'replaced');

-- Bytes that use up the nonce and do nothing else.
ALTER TABLE transactions ADD COLUMN cancels boolean NOT NULL DEFAULT false;

-- Down Migration

ALTER TABLE transactions DROP COLUMN cancels;
ALTER TABLE intents DROP COLUMN deadline, DROP COLUMN refusals, DROP COLUMN cancelled;
