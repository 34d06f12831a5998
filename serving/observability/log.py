"""The service's own log. uvicorn's access log, which would show addresses, stays off."""

from __future__ import annotations

from credit.log import ERROR, EventLog

__all__ = ["ERROR", "event", "start"]

_LOG = EventLog("haihe.serving")
start, event = _LOG.start, _LOG.event
