"""Waiting for what compute makes of an order, with a bar; an interruption leaves the order to be made without you."""

from __future__ import annotations

import time
from typing import Any

from credit.errors import Refused
from credit.messages import Text
from lab.library import gateway_client
from lab.library.display.progress import ProgressDisplay

POLL = 0.3  # seconds between two questions
_ENDED = ("done", "failed", "cancelled")


def made_of_order(path: str, wanted: dict[str, Any]) -> dict[str, Any]:
    """The last state of an order that is placed at ``path``, once it is done.

    Raises :class:`Refused` with the reason, and with what would pass, when it failed or was cancelled.
    """
    state: dict[str, Any] = gateway_client.post(path, wanted)
    with ProgressDisplay() as shown:
        while state["state"] not in _ENDED:
            shown.update(state["label"] or "waiting for compute 排队", state["done"], state["total"])
            time.sleep(POLL)
            state = gateway_client.get(f"{path}/{state['id']}")
    if state["state"] == "cancelled":
        raise Refused("order-wait.cancelled")
    if state["state"] == "failed":
        raise failure(state["error"])
    return state


def failure(error: dict[str, Any]) -> Refused:
    """Why compute made nothing, in the language of this notebook; in English where the ledger has the words alone."""
    messages = error.get("messages") or {}
    what, why, remedy = (
        Text.from_json(messages.get(key)) or Text.verbatim(str(error.get(key, ""))) for key in ("what", "why", "remedy")
    )
    return Refused(what, why=why, remedy=remedy)
