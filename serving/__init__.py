"""The service zone (服务区): answers banks about subjects, from sealed snapshots and under mandates alone.

`wire` from bytes to a call; `access` who may ask; `books` what is answered from; `answers` what is said and how it is
written; `products` what a call does; `inquiry`, `watches` and `jobs` the larger products; `ledger` every call, durable
and signed; `bank` the bank's side. Beside them stand the processes, and the application that holds the rooms together.
"""
