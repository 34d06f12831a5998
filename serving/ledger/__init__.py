"""Every call in the ledger before its answer leaves, and the service's signature on it."""
