"""The verb ``account code``: in an invented home, the code that a person's authenticator app would show."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from credit.errors import Missing, Refused
from infra import output
from infra.home import Home
from infra.language.texts import localized
from infra.verbs.options import AsJson


def account_code(
    name: Annotated[str, typer.Argument(help="An account of the invented city.")], as_json: AsJson = False
) -> None:
    """Show the code of a second factor of an invented person, for who has no authenticator app at hand."""
    from infra.desk.invented_home import is_invented
    from infra.hub.authenticator import credential_store
    from infra.hub.credentials.totp import code_at
    from lab.accounts.accounts import Accounts

    home = Home.here()
    if not is_invented(home):
        raise Refused("account-code.not-invented")
    account = Accounts(home.ledger("desk")).get(name)
    secret = credential_store(home.root).totp_secret(account)
    if not secret:
        raise Missing("account-code.no-secret", name=name)
    output.result({"code": code_at(secret, time.time())}, as_json=as_json, text=localized("cli.account.code"))
