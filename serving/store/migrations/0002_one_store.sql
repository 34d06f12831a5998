-- What had files of its own: used proofs, notices, counts, idempotency keys, watches with their deliveries, and jobs.
CREATE TABLE generation (one INTEGER PRIMARY KEY, value BIGINT NOT NULL);
INSERT INTO generation (one, value) VALUES (1, 0);

CREATE TABLE seen (name TEXT PRIMARY KEY, until DOUBLE PRECISION NOT NULL);
CREATE TABLE heard (name TEXT PRIMARY KEY, number BIGINT NOT NULL);
CREATE TABLE live_count (
  day TEXT NOT NULL, bank TEXT NOT NULL, subject TEXT NOT NULL, count BIGINT NOT NULL,
  PRIMARY KEY (day, bank, subject));

CREATE TABLE answered (
  bank TEXT NOT NULL, key BYTEA NOT NULL, asked BYTEA NOT NULL, at DOUBLE PRECISION NOT NULL, id TEXT NOT NULL,
  owner BIGINT, receipt TEXT, body BYTEA, UNIQUE (bank, key));
CREATE INDEX answered_of ON answered (bank, at);
CREATE INDEX answered_large ON answered (bank, at) WHERE length(body) > 16384;
CREATE TABLE made (
  bank TEXT NOT NULL, key BYTEA NOT NULL, asked BYTEA NOT NULL, at DOUBLE PRECISION NOT NULL, id TEXT NOT NULL,
  owner BIGINT, receipt TEXT, body BYTEA, UNIQUE (bank, key));
CREATE INDEX made_of ON made (bank, at);
CREATE INDEX made_large ON made (bank, at) WHERE length(body) > 16384;

CREATE TABLE webhook (bank TEXT PRIMARY KEY, url TEXT NOT NULL, secret TEXT NOT NULL DEFAULT '');
CREATE TABLE watch (
  id TEXT PRIMARY KEY, bank TEXT NOT NULL, subject TEXT NOT NULL, model TEXT NOT NULL, mandate TEXT NOT NULL,
  purpose TEXT NOT NULL, kinds TEXT NOT NULL, told TEXT, version TEXT NOT NULL, seen TEXT NOT NULL,
  opened_at DOUBLE PRECISION NOT NULL, ended TEXT);
CREATE INDEX watch_live ON watch (bank, ended);
CREATE TABLE delivery (
  id TEXT PRIMARY KEY, watch TEXT NOT NULL REFERENCES watch(id), bank TEXT NOT NULL, body BYTEA NOT NULL, told TEXT,
  version TEXT NOT NULL, status TEXT NOT NULL, attempts BIGINT NOT NULL, next_at DOUBLE PRECISION NOT NULL,
  last TEXT NOT NULL, made_at DOUBLE PRECISION NOT NULL);
CREATE INDEX delivery_due ON delivery (status, next_at);

CREATE TABLE notice (
  id TEXT PRIMARY KEY, bank TEXT NOT NULL, body BYTEA NOT NULL, attempts BIGINT NOT NULL DEFAULT 0,
  next_at DOUBLE PRECISION);

CREATE TABLE job (
  id TEXT PRIMARY KEY, bank TEXT NOT NULL, state TEXT NOT NULL, lines BIGINT NOT NULL, done BIGINT NOT NULL,
  answered BIGINT NOT NULL, refused BIGINT NOT NULL, read BIGINT NOT NULL, size BIGINT NOT NULL,
  made_at DOUBLE PRECISION NOT NULL, expires_at DOUBLE PRECISION NOT NULL);
