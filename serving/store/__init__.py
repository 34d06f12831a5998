"""The service's store: one database behind clients, mandates, idempotency keys, quotas, watches, jobs and objections.

SQLite in one file by default, PostgreSQL by setting. Code outside this room writes plain SQL that both understand, with
`?` for values, in acts (`serving.store.transaction.Act`): functions that take a transaction and do nothing else.

The order of state and ledger, everywhere: (1) the key of a request is claimed, which is an id and nothing more; (2) the
entry is durable in the ledger; (3) the state is changed, in one transaction; (4) the answer is sent. A process that is
killed between two of them leaves an id without an entry, or an entry whose state the next request with the same key
(or the next run of the same step) makes; never a state without its entry.
"""
