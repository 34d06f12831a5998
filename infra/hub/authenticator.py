"""Who may log in to the hub: the accounts of the front desk's ledger, with the credentials that the hub alone keeps.

Roles become hub groups. The handlers in :mod:`infra.hub.sign_in` find out who a person is; what they hand on is a
:class:`~infra.hub.sign_in.services.VerifiedSignIn`, and nothing that a form holds is taken for one.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from jupyterhub.auth import Authenticator
from jupyterhub.handlers.base import BaseHandler
from tornado.web import RequestHandler
from traitlets import Unicode

from infra.desk.running import named_socket
from infra.home import Home
from infra.hub.cli_handlers import cli_handlers
from infra.hub.credentials.passkeys import PasskeyParty
from infra.hub.credentials.store import CredentialStore
from infra.hub.factors.entries import FactorEntries
from infra.hub.factors.handlers import factor_handlers
from infra.hub.sign_in.enrolment import EnrolledHandler, EnrolmentHandler, EnrolPasskeyHandler, FactorHandler
from infra.hub.sign_in.login import LabLoginHandler
from infra.hub.sign_in.second_factor import PasskeyHandler, SecondFactorHandler
from infra.hub.sign_in.services import SignInServices, VerifiedSignIn
from infra.hub.sign_in_handlers import sign_in_handlers
from lab.accounts.accounts import Accounts

# JupyterHub 6.1 reads this of a request whose account was removed, and sets it only where a token was presented.
BaseHandler._token_authenticated = False


def credential_store(home: Path) -> CredentialStore:
    """The credentials of a home."""
    return CredentialStore(home / "lab" / "credentials.sqlite")


class LabAuthenticator(Authenticator):  # type: ignore[misc]
    """Accounts of :class:`lab.accounts.accounts.Accounts`."""

    home = Unicode(help="The folder of the home").tag(config=True)
    sign_ins = Unicode(help="The file of sign-ins").tag(config=True)
    desk = Unicode(help="The socket of the front desk, which writes the entries about factors").tag(config=True)
    public_url = Unicode(help="Where browsers reach the hub: a name, for passkeys").tag(config=True)

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.allow_all = True  # every account may log in; the handlers check it
        self.manage_groups = True
        home = Path(self.home)
        accounts = Accounts.cached(Home(home).ledger("desk"))
        entries = FactorEntries(Path(self.desk) if self.desk else named_socket(Home(home)))
        self.services = SignInServices(accounts, credential_store(home), PasskeyParty(self.public_url), entries)

    def get_handlers(self, app: Any) -> list[tuple[Any, ...]]:
        """The pages of signing in and of enrolling, what is known of sign-ins, and the login of the command line."""
        return [
            ("/login", LabLoginHandler),
            ("/second-factor", SecondFactorHandler),
            ("/second-factor/passkey", PasskeyHandler),
            ("/enrol", EnrolmentHandler),
            ("/enrol/factor", FactorHandler),
            ("/enrol/passkey", EnrolPasskeyHandler),
            ("/enrol/done", EnrolledHandler),
            *factor_handlers(),
            *sign_in_handlers(Path(self.sign_ins)),
            *cli_handlers(),
        ]

    async def authenticate(self, handler: RequestHandler, data: object) -> dict[str, Any] | None:
        """The user with the groups of their roles; None for whatever did not come from one of our handlers."""
        return _model(data.account.name, data.account.roles) if isinstance(data, VerifiedSignIn) else None

    async def refresh_user(self, user: Any, handler: Any = None, **more: Any) -> bool | dict[str, Any]:
        """A removed or reset account is logged out, changed roles take effect."""
        account = await asyncio.to_thread(self.services.signed_in_account, user.name)
        return _model(user.name, account.roles) if account else False


def _model(name: str, roles: tuple[object, ...]) -> dict[str, Any]:
    return {"name": name, "groups": [str(role) for role in roles]}
