"""SQL: what feature text may say, and the check that it says no more."""
