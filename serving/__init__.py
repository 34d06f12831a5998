"""The service zone (服务区): answers banks about subjects, from sealed snapshots and under mandates alone.

- `entrypoints`: the processes that are started by module name; `processes`: what starts and runs them
- `app`: the application, its wiring, its products and its OpenAPI document
- `http`: from a parsed request to a product's handler, and back
- `auth`: clients, tokens, mandates and rate limits
- `core`: the context of a request, the scoring service, and the recovery of answers
- `endpoints`: the handlers of the products; `responses`: the schemas and the composition of their answers
- `data`: snapshots, credit files and suppressions; `idempotency` and `state`: repeated requests, cached decisions
- `store`: the one database behind all that the service remembers
- `audit`: the ledger, signatures and usage; `observability`: log, metrics and traces
- `bank`: the client library for banks; `i18n`: the languages of refusals
"""
