"""Deprecated: import from :mod:`serving.bank.response_types` instead."""

from __future__ import annotations

import warnings

from serving.bank.response_types import (
    LiveScore,
    Missing,
    Objection,
    Part,
    Reason,
    Receipt,
    Rule,
    Score,
    SnapshotName,
)
from serving.bank.response_types import SuppliedFeatures as Brought

__all__ = [
    "Brought",
    "LiveScore",
    "Missing",
    "Objection",
    "Part",
    "Reason",
    "Receipt",
    "Rule",
    "Score",
    "SnapshotName",
]

warnings.warn("serving.bank.told is serving.bank.response_types now", DeprecationWarning, stacklevel=2)
