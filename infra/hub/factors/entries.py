"""Entries about factors (凭据沿革): the front desk writes one before the hub changes what someone signs in with.

The hub has no key. It keeps a change under a random receipt, gives the receipt to the desk, and the desk asks here what
the change is. A change of which the desk did not write an entry is not made.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from jupyterhub.apihandlers.base import APIHandler
from tornado.web import HTTPError

from credit.requests.desk_client import DeskClient
from infra.desk.factor_entries import FactorAct, FactorChange, FactorKind
from lab.accounts.account import Account

SECONDS = 20.0  # that the desk may take


@dataclass(slots=True)
class FactorEntries:
    """Has the desk at the socket ``desk`` write entries."""

    desk: Path
    _open: dict[str, FactorChange] = field(default_factory=dict, repr=False)

    async def write(self, account: Account, act: FactorAct, kinds: Sequence[FactorKind], *, factor: str) -> None:
        """Have an entry written; ``factor`` is how the person signed in for the change.

        Raises :class:`~credit.errors.CreditError` when the desk refuses, or does not answer: then nothing may change.
        """
        receipt = secrets.token_urlsafe(32)
        self._open[receipt] = FactorChange(account.name, account.enrolment, act, tuple(kinds), factor)
        try:
            client = DeskClient(self.desk, seconds=SECONDS)
            await asyncio.to_thread(client.call, "POST", "/factors", {"receipt": receipt})
        finally:
            self._open.pop(receipt, None)

    def take(self, receipt: str) -> FactorChange | None:
        """The change of a receipt, once."""
        return self._open.pop(receipt, None)


class FactorChangeHandler(APIHandler):  # type: ignore[misc]
    """``/api/factor-change``: what the front desk asks about a receipt, which is proof enough that it may."""

    def get(self) -> None:
        """The change; 404 for a receipt that is none, or was used."""
        change = self.authenticator.services.entries.take(self.request.headers.get("X-Receipt", ""))
        if change is None:
            raise HTTPError(404)
        self.write(json.dumps(change.as_json()))
