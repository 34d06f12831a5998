-- What had files of its own: applications for mandates with their documents, subjects' keys, and their open pages.
CREATE TABLE application (
  number BIGINT NOT NULL, id TEXT PRIMARY KEY, bank TEXT NOT NULL, subject TEXT NOT NULL, purpose TEXT NOT NULL,
  until TEXT NOT NULL, evidence TEXT NOT NULL, digest TEXT NOT NULL, batch TEXT NOT NULL, state TEXT NOT NULL,
  why TEXT NOT NULL, mandate TEXT, entry TEXT NOT NULL, seq BIGINT NOT NULL, made_at DOUBLE PRECISION NOT NULL,
  lapses_at DOUBLE PRECISION NOT NULL, proposed BIGINT NOT NULL, notified TEXT NOT NULL);
CREATE INDEX application_of_bank ON application (bank, state, number);
CREATE INDEX application_of_subject ON application (subject);
CREATE INDEX application_in_batch ON application (batch);
CREATE INDEX application_in_state ON application (state, until);
CREATE INDEX application_of_mandate ON application (mandate);
CREATE INDEX application_unnotified ON application (number) WHERE notified <> state;
CREATE TABLE application_document (application TEXT PRIMARY KEY, media TEXT NOT NULL, content BYTEA NOT NULL);
CREATE TABLE used_consent (
  subject TEXT NOT NULL, jti TEXT NOT NULL, application TEXT NOT NULL, PRIMARY KEY (subject, jti));

CREATE TABLE subject_key (
  subject TEXT NOT NULL, thumbprint TEXT NOT NULL, envelope TEXT NOT NULL, PRIMARY KEY (subject, thumbprint));
CREATE TABLE subject_link (
  digest TEXT PRIMARY KEY, subject TEXT NOT NULL, code BYTEA NOT NULL, until DOUBLE PRECISION NOT NULL,
  used BIGINT NOT NULL);
CREATE TABLE subject_session (
  digest TEXT PRIMARY KEY, subject TEXT NOT NULL, code BYTEA NOT NULL, until DOUBLE PRECISION NOT NULL);
