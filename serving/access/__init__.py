"""Deprecated: the name before 0.2 of :mod:`serving.auth`, kept for the imports that the banks' guide showed."""
