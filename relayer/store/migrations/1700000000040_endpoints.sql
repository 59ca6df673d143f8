-- Up Migration

-- Where instances say that they answer TLS, signed by their keys; forgotten after `until` (unix seconds).
CREATE TABLE endpoints (
  app text NOT NULL,
  key text NOT NULL,
  host text NOT NULL,
  port integer NOT NULL,
  until bigint NOT NULL,
  PRIMARY KEY (app, key)
);

-- Down Migration

DROP TABLE endpoints;
