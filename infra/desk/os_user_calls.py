"""The desk's calls about operating-system users: which uid of this machine acts as which account."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from credit.actor import Role
from credit.confirmation import Move
from credit.errors import Malformed, Missing
from infra.desk.identity import SignedIn
from infra.desk.os_users import OsUsers
from lab.accounts.accounts import Accounts


@dataclass(frozen=True, slots=True)
class OsUserCalls:
    """The table with its changes; ``users`` writes into the desk's ledger."""

    users: OsUsers
    accounts: Accounts

    def list(self) -> dict[str, Any]:
        """Every uid with its account, and what waits for a second person."""
        waiting = [
            {"uid": each.details["uid"], "account": each.details["account"], "by": str(each.requested_by)}
            for each in self.users.waiting()
        ]
        return {"users": [{"uid": uid, "account": name} for uid, name in self.users.all().items()], "waiting": waiting}

    def change(self, act: str, person: SignedIn, body: Mapping[str, Any]) -> None:
        """Request an entry, confirm, refuse or withdraw what was requested, or remove an entry.

        Raises :class:`Malformed` for no uid or act, :class:`Missing` for no account, and as :class:`OsUsers`.
        """
        by = person.actor((Role.PLATFORM,), act="act.map-operating-system-user")
        uid, account = body.get("uid"), str(body.get("account", ""))
        if type(uid) is not int:
            raise Malformed("os-users.no-such-uid")
        acts: Mapping[str, Callable[[], None]] = {
            "request": lambda: self._request(uid, account, person),
            "confirm": lambda: self.users.decide(uid, Move.CONFIRM, by=by),
            "refuse": lambda: self.users.decide(uid, Move.REFUSE, by=by),
            "withdraw": lambda: self.users.decide(uid, Move.WITHDRAW, by=by),
            "remove": lambda: self.users.remove(uid, by=by),
        }
        if act not in acts:
            raise Malformed("account-calls.no-such-act", act=act[:20])
        acts[act]()

    def _request(self, uid: int, account: str, person: SignedIn) -> None:
        if account not in self.accounts.all():
            raise Missing("accounts.no-account", name=account[:30])
        self.users.request(uid, account, by=person.actor((Role.PLATFORM,), act="act.map-operating-system-user"))
