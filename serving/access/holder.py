"""Deprecated: import ``ClientKey`` from :mod:`serving.auth.client_key` instead of ``HeldKey`` from here."""

from __future__ import annotations

import warnings

from serving.auth.client_key import ClientKey as HeldKey

__all__ = ["HeldKey"]

warnings.warn(
    "serving.access.holder.HeldKey is serving.auth.client_key.ClientKey now", DeprecationWarning, stacklevel=2
)
