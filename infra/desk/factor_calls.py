"""The desk's call about factors: the hub names a change by a receipt, and the desk asks the hub itself what it is.

A receipt is 256 random bits that only the hub knows, and is answered once. So no other process makes the desk write
that someone's factor changed, whichever user it runs as, and the hub needs neither a key nor a password of the desk.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import httpx

from credit.errors import Refused
from credit.ledger import Ledger
from credit.messages import Text
from infra.desk.factor_entries import FactorChange, record_factors
from infra.desk.hub_tokens import HubSilent, hub_client
from lab.accounts.accounts import Accounts

RECEIPT = r"[A-Za-z0-9_-]{43}"


@dataclass(slots=True)
class FactorCalls:
    """Writes the entries of changes that the hub at ``api`` confirms; without a hub there are none."""

    ledger: Ledger
    accounts: Accounts
    api: str = ""
    _client: httpx.Client | None = field(init=False, default=None, repr=False)
    _root: str = field(init=False, default="")

    def __post_init__(self) -> None:
        if self.api:
            self._client, self._root = hub_client(self.api)

    def record(self, receipt: str) -> None:
        """Write the entry of a change.

        Raises :class:`Refused` for a receipt that the hub does not know, :class:`HubSilent` when it does not answer.
        """
        if self._client is None or not re.fullmatch(RECEIPT, receipt):
            raise Refused("factor-calls.no-such-change")
        try:
            answer = self._client.get(f"{self._root}/factor-change", headers={"X-Receipt": receipt})
        except httpx.HTTPError as error:
            raise HubSilent("hub-tokens.hub-does-not-answer", why=Text.verbatim(type(error).__name__)) from error
        if answer.status_code != 200:
            raise Refused("factor-calls.no-such-change")
        record_factors(self.ledger, self.accounts, FactorChange.parse(answer.json()))

    def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            self._client.close()
