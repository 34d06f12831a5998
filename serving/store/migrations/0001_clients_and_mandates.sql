-- Files made before the store had versions have these tables, so they are created only where there are none.
CREATE TABLE IF NOT EXISTS client (
  name TEXT PRIMARY KEY, salt BYTEA NOT NULL, hash BYTEA NOT NULL, scopes TEXT NOT NULL, created_at TEXT NOT NULL,
  disabled INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS mandate (
  id TEXT PRIMARY KEY, bank TEXT NOT NULL REFERENCES client(name), envelope TEXT NOT NULL, revoked_at TEXT);
CREATE TABLE IF NOT EXISTS client_limit (
  name TEXT PRIMARY KEY REFERENCES client(name), rate DOUBLE PRECISION NOT NULL, burst DOUBLE PRECISION NOT NULL);
CREATE TABLE IF NOT EXISTS client_kind (name TEXT PRIMARY KEY REFERENCES client(name), kind TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS client_network (name TEXT PRIMARY KEY REFERENCES client(name), networks TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS client_key (
  name TEXT NOT NULL REFERENCES client(name), thumbprint TEXT NOT NULL, jwk TEXT NOT NULL,
  PRIMARY KEY (name, thumbprint));
CREATE TABLE IF NOT EXISTS client_former (name TEXT PRIMARY KEY REFERENCES client(name), hash BYTEA NOT NULL);
CREATE TABLE IF NOT EXISTS objection (
  id TEXT PRIMARY KEY, bank TEXT NOT NULL, score_id TEXT NOT NULL, kind TEXT NOT NULL, statement TEXT NOT NULL);
