"""Waiting for what compute makes of an order, with a bar; an interruption leaves the order to be made without you.

Where compute is away the wait says so, and goes on: the order is kept, and is made when compute is there.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from credit.errors import Refused
from credit.messages import Text, language_here
from lab.library import gateway_client
from lab.library.display import html
from lab.library.display.progress import ProgressDisplay
from lab.library.stopped_waiting import stop_in_words

POLL = 0.3  # seconds between two questions
UNATTENDED = 15.0  # seconds after which a wait says why nothing happens
_ENDED = ("done", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class Wait:
    """One wait, from when it began."""

    since: float = field(default_factory=time.monotonic)

    def words(self, state: Mapping[str, Any]) -> str:
        """What is shown of an order that waits: that compute is away, or after a while what it waits for."""
        away = state.get("compute_away_since")
        if away:
            text = Text.of("order-wait.compute-away", since=html.minute(str(away)))
        elif time.monotonic() - self.since < UNATTENDED:
            text = Text.of("order-wait.waiting")
        elif away is None:
            text = Text.of("order-wait.nobody")
        else:
            text = Text.of("order-wait.in-line")
        return text.render(language_here())


def made_of_order(path: str, wanted: dict[str, Any]) -> dict[str, Any]:
    """The last state of an order that is placed at ``path``, once it is done.

    Raises :class:`Refused` with the reason, and with what would pass, when it failed or was cancelled, and
    :class:`~lab.library.stopped_waiting.StoppedWaiting` when the person interrupts.
    """
    state: dict[str, Any] = gateway_client.post(path, wanted)
    with stop_in_words(Refused("order-wait.stopped")), ProgressDisplay() as shown:
        wait = Wait()
        while state["state"] not in _ENDED:
            shown.update(state["label"] or wait.words(state), state["done"], state["total"])
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
