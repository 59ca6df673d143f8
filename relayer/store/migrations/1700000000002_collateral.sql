-- Up Migration

-- What vendors published last, by platform family: verified before it was kept, shared by replicas, and there when the
-- vendor is not. The numbers and dates (unix seconds) never fall.
CREATE TABLE collateral (
  family text PRIMARY KEY,
  body jsonb NOT NULL,
  evaluation_number bigint NOT NULL,
  tcb_info_issued bigint NOT NULL,
  qe_identity_issued bigint NOT NULL,
  pck_crl_issued bigint NOT NULL,
  root_crl_issued bigint NOT NULL,
  fetched_at bigint NOT NULL
);

-- Down Migration

DROP TABLE collateral;
