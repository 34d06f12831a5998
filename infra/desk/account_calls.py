"""The desk's calls about accounts: it holds the key that writes them, and knows the person."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from credit.actor import Role
from credit.errors import Malformed, Refused
from infra.desk.identity import PeerCredentials, SignedIn
from lab.accounts.account import IssuedLink
from lab.accounts.account_changes import AccountChanges
from lab.accounts.accounts import Accounts


@dataclass(frozen=True, slots=True)
class AccountCalls:
    """Accounts and their changes; ``uid`` is the user under whom the desk runs."""

    accounts: Accounts
    changes: AccountChanges
    uid: int = os.getuid()

    def list(self) -> dict[str, Any]:
        """Every account with its roles, and what waits for a second person."""
        accounts = [{"account": each.name, "roles": list(each.roles)} for each in self.accounts.all().values()]
        waiting = [
            {"change": each.id, "kind": each.kind, "account": each.name, "roles": list(each.roles), "by": str(each.by)}
            for each in self.accounts.changes()
        ]
        return {"accounts": accounts, "waiting": waiting}

    def install(self, peer: PeerCredentials, body: Mapping[str, Any]) -> dict[str, Any]:
        """Make the first two accounts; for the user that installed the lab, while there is no account."""
        if peer.uid not in (0, self.uid):
            raise Refused("account-calls.not-the-installer")
        links = self.changes.install(tuple(str(each) for each in body.get("accounts", ())))
        return {"links": {name: _shown(link) for name, link in links.items()}}

    def change(self, act: str, person: SignedIn, body: Mapping[str, Any]) -> dict[str, Any]:
        """Request, confirm, refuse or withdraw a change, or remove an account."""
        by = person.actor((Role.PLATFORM,), act="act.change-accounts")
        name, change = str(body.get("account", "")), str(body.get("change", ""))
        roles, bank = tuple(str(each) for each in body.get("roles", ())), str(body.get("bank", ""))
        acts: Mapping[str, Callable[[], IssuedLink | None]] = {
            "add": lambda: self.changes.request_account(name, roles, by=by, bank=bank),
            "roles": lambda: self.changes.request_roles(name, roles, by=by, bank=bank),
            "reset": lambda: self.changes.request_reset(name, by=by),
            "confirm": lambda: self.changes.confirm(change, by=by),
            "refuse": lambda: self.changes.refuse(change, by=by),
            "withdraw": lambda: self.changes.withdraw(change, by=by),
            "remove": lambda: self.changes.request_removal(name, by=by),
        }
        if act not in acts:
            raise Malformed("account-calls.no-such-act", act=act[:20])
        link = acts[act]()
        return {} if link is None else _shown(link)


def _shown(link: IssuedLink) -> dict[str, Any]:
    return dict(asdict(link))
