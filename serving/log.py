"""The service's own log: one JSON line an event, from fields that are named here and never hold a subject's data."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

ERROR = logging.ERROR
_LOGGER = logging.getLogger("haihe.serving")


def start() -> None:
    """Send the service's lines to standard error; uvicorn's access log, which would show addresses, stays off."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    _LOGGER.handlers[:] = [handler]
    _LOGGER.setLevel(logging.INFO)
    _LOGGER.propagate = False


def event(name: str, *, level: int = logging.INFO, **fields: str | int | float | None) -> None:
    """Write one line. Give it ids, counts and classes of error; never a body, a header or a code."""
    if _LOGGER.isEnabledFor(level):
        line = {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": name, **fields}
        _LOGGER.log(level, json.dumps(line, ensure_ascii=False))
