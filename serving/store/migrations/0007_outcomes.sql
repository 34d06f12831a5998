-- What banks report of loans, until it is sealed for compute and after: rows are never changed but for what they are part of.
CREATE TABLE outcome (
  id TEXT PRIMARY KEY, bank TEXT NOT NULL, loan TEXT NOT NULL, subject TEXT NOT NULL, event TEXT NOT NULL,
  happened_on TEXT NOT NULL, days_overdue BIGINT NOT NULL, received_on TEXT NOT NULL, late BIGINT NOT NULL,
  replaces TEXT NOT NULL, replaced_by TEXT NOT NULL, report TEXT NOT NULL, entry TEXT NOT NULL, sealed TEXT NOT NULL);
CREATE INDEX outcome_of_loan ON outcome (loan);
CREATE INDEX outcome_in_report ON outcome (report);
CREATE INDEX outcome_unsealed ON outcome (id) WHERE sealed = '';
CREATE TABLE outcome_loan (loan TEXT PRIMARY KEY, reports BIGINT NOT NULL);
