"""The log of a process: one JSON line per event on standard error, with named fields and never a subject's data."""

from __future__ import annotations

import json
import logging
import sys
from dataclasses import dataclass
from datetime import UTC, datetime

INFO, WARNING, ERROR = logging.INFO, logging.WARNING, logging.ERROR


@dataclass(frozen=True, slots=True)
class EventLog:
    """The log named ``name``. Before :meth:`start` only warnings and errors appear, in the format of ``logging``."""

    name: str

    def start(self) -> None:
        """Write events of level INFO and above to standard error from now on."""
        logger = logging.getLogger(self.name)
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(message)s"))
        logger.handlers[:] = [handler]
        logger.setLevel(INFO)
        logger.propagate = False

    def event(self, name: str, *, level: int = INFO, **fields: str | int | float | None) -> None:
        """Write one line. Pass ids, counts and names of errors; never a request body, a header, a code or a row."""
        logger = logging.getLogger(self.name)
        if logger.isEnabledFor(level):
            line = {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": name, **fields}
            logger.log(level, json.dumps(line, ensure_ascii=False))
