"""Verbs for operating-system users: whose shell at the server acts as which account, without signing in."""

from __future__ import annotations

from typing import Annotated

import typer

from credit.actor import Role
from infra import output
from infra.home import Home
from infra.language.texts import localized
from infra.verbs.options import AsJson, By
from infra.verbs.requesting import front_desk, require_named

os_user_app = typer.Typer(
    help="Manage which operating-system user of this machine acts as which account.", no_args_is_help=True
)
Uid = Annotated[int, typer.Argument(help="The number of an operating-system user, as `id -u` prints it.")]


def add_to(app: typer.Typer) -> None:
    """Add these verbs to the command line."""
    app.add_typer(os_user_app, name="os-user")


@os_user_app.command("request")
def os_user_request(
    uid: Uid,
    account: Annotated[str, typer.Argument(help="The account as which its processes act.")],
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Request that an operating-system user acts as an account; another person confirms, and neither is that person."""
    _change("request", uid, by, as_json, "cli.account.waits", account)


@os_user_app.command("confirm")
def os_user_confirm(uid: Uid, by: By = "", as_json: AsJson = False) -> None:
    """Confirm what another person requested for an operating-system user."""
    _change("confirm", uid, by, as_json)


@os_user_app.command("refuse")
def os_user_refuse(uid: Uid, by: By = "", as_json: AsJson = False) -> None:
    """Refuse what another person requested for an operating-system user."""
    _change("refuse", uid, by, as_json)


@os_user_app.command("withdraw")
def os_user_withdraw(uid: Uid, by: By = "", as_json: AsJson = False) -> None:
    """Take back what one requested for an operating-system user."""
    _change("withdraw", uid, by, as_json)


@os_user_app.command("remove")
def os_user_remove(uid: Uid, by: By = "", as_json: AsJson = False) -> None:
    """End the entry of an operating-system user at once."""
    _change("remove", uid, by, as_json)


@os_user_app.command("list")
def os_user_list(by: By = "", as_json: AsJson = False) -> None:
    """List the operating-system users with their accounts, and what waits for a second person."""
    with front_desk(Home.here(), by) as desk:
        made = desk.call("GET", "/os-users")
    if as_json:
        output.document(made)
        return
    rows = [(str(each["uid"]), each["account"]) for each in made["users"]]
    output.table(localized("cli.os-user.title"), ("uid", "account"), rows)
    if waiting := [(str(each["uid"]), each["account"], each["by"]) for each in made["waiting"]]:
        output.table(localized("cli.account.waiting"), ("uid", "account", "requested by"), waiting)


def _change(act: str, uid: int, by: str, as_json: bool, text: str = "cli.changed", account: str = "") -> None:
    require_named(by, (Role.PLATFORM,), act="act.map-operating-system-user")
    body = {"uid": uid, "account": account}
    with front_desk(Home.here(), by) as desk:
        desk.call("POST", f"/os-users/{act}", body)
    shown = {name: value for name, value in body.items() if value}
    output.result(shown, as_json=as_json, text=localized(text))
