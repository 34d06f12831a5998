"""Deprecated: the name before 0.2 of :mod:`serving.audit`, kept for the imports that the banks' guide showed."""
