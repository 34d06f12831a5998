"""Deprecated: import from :mod:`serving.audit.signatures` instead."""

from __future__ import annotations

import warnings

from serving.audit.signatures import HEADER, key_set, ring_of, verify

__all__ = ["HEADER", "key_set", "ring_of", "verify"]

warnings.warn("serving.ledger.signatures is serving.audit.signatures now", DeprecationWarning, stacklevel=2)
