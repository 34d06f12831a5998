"""The accounts of a lab as they are now, and who had which role at any moment; folded from the front desk's ledger."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from credit.actor import Role
from credit.errors import Broken, CreditError
from credit.ledger import Ledger
from credit.ledger.entry import Entry
from credit.ledger.follower import CachedLedger
from lab.accounts.account import Account, AccountChange, is_token_of
from lab.accounts.account_state import OBJECT, AccountMove, AccountState

PREFIX = "account."


@dataclass(frozen=True, slots=True)
class Accounts:
    """The accounts of the front desk's ``ledger``. Every method raises :class:`Broken` for a ledger that is not whole.

    A process that asks often gives a ledger that keeps what it read: see :meth:`cached`.
    """

    ledger: Ledger

    @classmethod
    def cached(cls, ledger: Ledger) -> Accounts:
        """The accounts of a ledger, of which each entry is read and verified once."""
        return cls(CachedLedger.of(ledger, "account"))

    def state(self) -> AccountState:
        """The whole state."""
        state = AccountState()
        for entry in self._entries():
            try:
                state.apply(AccountMove.of(entry))
            except (CreditError, ValueError, TypeError, KeyError) as error:
                raise Broken("accounts.move-may-not-follow", seq=entry.seq) from error
        return state

    def all(self) -> dict[str, Account]:
        """Every account by name."""
        return self.state().accounts

    def get(self, name: str) -> Account:
        """One account; raises :class:`~credit.errors.Missing`."""
        return self.state().require(name)

    def changes(self) -> list[AccountChange]:
        """The changes that wait for a second person, oldest first."""
        return list(self.state().changes.values())

    def roles_at(self, name: str, moment: datetime) -> tuple[Role, ...]:
        """The roles that a name had at a moment; none before it was an account and after it was removed."""
        roles: tuple[Role, ...] = ()
        for since, given in self.state().history.get(name, ()):
            if since > moment:
                break
            roles = given
        return roles

    def history(self, name: str) -> list[tuple[datetime, tuple[Role, ...]]]:
        """Every set of roles that a name had, and since when; an empty one from its removal on."""
        return list(self.state().history.get(name, ()))

    def of_link(self, token: str) -> Account | None:
        """The account that a link was issued for, unless a newer one was issued."""
        for account in self.all().values():
            if account.link is not None and is_token_of(account.link, token):
                return account
        return None

    def _entries(self) -> Iterator[Entry]:
        return (each for each in self.ledger.entries() if each.verb.startswith(PREFIX) and each.object[:5] == OBJECT)
