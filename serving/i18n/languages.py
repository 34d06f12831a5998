"""The language in which the call that is being answered is answered (RFC 9110 §12.5.4)."""

from __future__ import annotations

from contextvars import ContextVar

ACCEPTED: ContextVar[str] = ContextVar("accepted", default="")  # Accept-Language of the call, for parts of an answer
