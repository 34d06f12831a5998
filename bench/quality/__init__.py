"""The pinned benchmark: our pipeline and five others on public credit tables, under one protocol."""
