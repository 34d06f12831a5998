"""The verbs of ``requests``: what is requested and not done yet, how far it is, and for whom or what it waits."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from credit.requests.failure import error_of
from credit.requests.request import Stage
from infra import output
from infra.home import Home
from infra.language.texts import field, localized
from infra.verbs.options import AsJson, By
from infra.verbs.requesting import front_desk

request_app = typer.Typer(help="See what is requested, cancel it, or confirm what another person requested.")
RequestId = Annotated[str, typer.Argument(metavar="REQUEST", help="Its id, as `haihe requests list` shows it.")]


def add_to(app: typer.Typer) -> None:
    """Add this group to the command line."""
    app.add_typer(request_app, name="requests", no_args_is_help=True)


@request_app.command("list")
def list_requests(by: By = "", as_json: AsJson = False) -> None:
    """List the requests that have not ended and that you may see, with who waits for whom."""
    with front_desk(Home.here(), by) as desk:
        data = desk.call("GET", "/requests")
    if as_json:
        output.document(data)
        return
    rows = [(each["id"], each["verb"], each["by"], each["at"], _state(each)) for each in data["requests"]]
    output.table(localized("cli.requests.title"), ("request", "verb", "by", "at", "state"), rows)


@request_app.command("show")
def show_request(request: RequestId, by: By = "", as_json: AsJson = False) -> None:
    """Show a request: who made it, how far it is, until when it must be done, and why it failed."""
    with front_desk(Home.here(), by) as desk:
        _print(desk.state(request), as_json)


@request_app.command("cancel")
def cancel_request(request: RequestId, by: By = "", as_json: AsJson = False) -> None:
    """Cancel a request. What a zone is doing for it stops at its next report, and no later step begins."""
    with front_desk(Home.here(), by) as desk:
        _print(desk.cancel(request), as_json)


@request_app.command("confirm")
def confirm_request(request: RequestId, by: By = "", as_json: AsJson = False) -> None:
    """Confirm, as a second person, what another person requested; only then is it carried out."""
    with front_desk(Home.here(), by) as desk:
        _print(desk.call("POST", f"/requests/{request}/confirm"), as_json)


def _print(state: dict[str, Any], as_json: bool) -> None:
    state = {name: value for name, value in state.items() if name != "private"}
    if as_json:
        output.document(state)
        return
    shown = {"request": state["id"], "verb": state["verb"], "by": state["by"], "at": state["at"]}
    shown |= {"deadline": state["deadline"], "state": _state(state), "confirmed by": state["confirmed_by"]}
    output.result({name: value for name, value in shown.items() if value}, as_json=False)
    if state["failure"]:
        output.line(str(error_of(state["failure"])), markup=False)


def _state(state: dict[str, Any]) -> str:
    """How far a request is, in words."""
    ended = {
        Stage.UNCONFIRMED: localized("cli.requests.unconfirmed"),
        Stage.DONE: localized("cli.requests.done"),
        Stage.FAILED: localized("cli.requests.failed"),
        Stage.CANCELLED: localized("cli.requests.cancelled"),
    }
    if (words := ended.get(Stage(state["stage"]))) is not None:
        return words
    step, steps, progress = state["step"] + 1, len(state["steps"]), state["progress"]
    place = {"zone": field(state["zone"]), "step": step, "steps": steps}
    if not progress:
        return localized("cli.requests.waits", **place)
    count = f" {progress['done']}/{progress['total']}" if progress.get("total") else ""
    return localized("cli.requests.at-work", **place, label=f"{progress.get('label', '')}{count}")
