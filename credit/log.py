"""A process's own log: one JSON line an event on standard error, from named fields that never hold a subject's data."""

from __future__ import annotations

import json
import logging
import sys
from dataclasses import dataclass
from datetime import UTC, datetime

INFO, WARNING, ERROR = logging.INFO, logging.WARNING, logging.ERROR


@dataclass(frozen=True, slots=True)
class EventLog:
    """The log named ``name``; silent until :meth:`start`, but for what logging itself shows of warnings."""

    name: str

    def start(self) -> None:
        """Send the lines to standard error."""
        logger = logging.getLogger(self.name)
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(message)s"))
        logger.handlers[:] = [handler]
        logger.setLevel(INFO)
        logger.propagate = False

    def event(self, name: str, *, level: int = INFO, **fields: str | int | float | None) -> None:
        """Write one line. Give it ids, counts and classes of error; never a body, a header, a code or a row."""
        logger = logging.getLogger(self.name)
        if logger.isEnabledFor(level):
            line = {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": name, **fields}
            logger.log(level, json.dumps(line, ensure_ascii=False))
