"""Verbs of the custody zone: records, releases, repairs, retention."""
