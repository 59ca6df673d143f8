-- Up Migration

-- An operator's last word on draining a node, with the signature that anyone can check.
CREATE TABLE node_drains (
  node bigint PRIMARY KEY,
  draining boolean NOT NULL,
  signed_at bigint NOT NULL,
  operator text NOT NULL,
  signature text NOT NULL
);

-- When a node's agent was last heard by any replica, and since when without a gap. Unix seconds.
CREATE TABLE node_heard (
  node bigint PRIMARY KEY,
  last_at bigint NOT NULL,
  steady_since bigint NOT NULL
);

-- Down Migration

DROP TABLE node_heard, node_drains;
