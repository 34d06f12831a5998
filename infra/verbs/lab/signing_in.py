"""The verbs ``login``, ``logout`` and ``whoami``."""

from __future__ import annotations

import os
import sys
import webbrowser
from typing import Annotated

import typer

from infra import output
from infra.home import Home
from infra.hub.cli_service import PORT
from infra.language.texts import field, localized
from infra.verbs.options import AsJson, By

Port = Annotated[int, typer.Option("--port", min=1, max=65535, help="The port of this machine that the code comes to.")]
SCREENS = ("DISPLAY", "WAYLAND_DISPLAY")  # where a browser can open a window


def add_to(app: typer.Typer) -> None:
    """Add these verbs to the command line."""
    for verb in (login, logout, whoami):
        app.command()(verb)


def login(
    hub: Annotated[str, typer.Option("--hub", envvar="HAIHE_HUB_ADDRESS", help="The lab's address in a browser.")] = "",
    port: Port = PORT,
    browser: Annotated[bool, typer.Option(help="Open a browser where there is a screen.")] = True,
    as_json: AsJson = False,
) -> None:
    """Sign in through the lab's page in a browser.

    The token is stored for this home and this user alone, and is valid for an hour.
    """
    from infra.sign_in.hub_calls import HubCalls
    from infra.sign_in.login import hub_address, log_in

    home = Home.here()

    def show(url: str) -> None:
        sys.stderr.write(f"{localized('cli.login.open')}\n\n  {url}\n\n")
        sys.stderr.flush()
        if browser and any(os.environ.get(name) for name in SCREENS):
            webbrowser.open(url)

    signed_in = log_in(home, HubCalls(hub or hub_address(home), port), show)
    output.result(signed_in, as_json=as_json, text=localized("cli.login.done"))


def logout(port: Port = PORT, as_json: AsJson = False) -> None:
    """Sign out: the token is revoked at the lab and removed here."""
    from infra.sign_in.login import log_out

    account = log_out(Home.here(), port)
    text = localized("cli.logout.done" if account else "cli.logout.none")
    output.result({"account": account}, as_json=as_json, text=text)


def whoami(by: By = "", as_json: AsJson = False) -> None:
    """Show as whom the front desk knows you: account, roles, and how you signed in."""
    from infra.verbs.requesting import front_desk

    with front_desk(Home.here(), by) as desk:
        person = desk.call("GET", "/whoami")
    if as_json:
        output.document(person)
        return
    shown = {name: value for name, value in person.items() if value}
    shown["roles"] = ", ".join(person["roles"])
    for name in ("factor", "how"):
        shown[name] = field(person[name])
    output.result(shown, as_json=False)
