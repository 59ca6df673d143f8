-- graph-node's own database, beside the relayer's.
CREATE DATABASE graph OWNER charter LOCALE 'C' ENCODING 'UTF8' TEMPLATE template0;
\connect graph
CREATE EXTENSION pg_trgm;
CREATE EXTENSION btree_gist;
CREATE EXTENSION postgres_fdw;
CREATE EXTENSION pg_stat_statements;
GRANT USAGE ON FOREIGN DATA WRAPPER postgres_fdw TO charter;
