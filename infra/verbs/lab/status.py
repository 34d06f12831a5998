"""The verb ``status``: which processes of the home run, and what is in production."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from credit.errors import CreditError
from infra import output
from infra.home import Home
from infra.verbs.options import AsJson

if TYPE_CHECKING:
    from credit.seal import Seal
    from infra.processes import Process

CHAMPION, SNAPSHOT = "champion-", "snapshot-"  # the names of pointers on the shelf begin so
SIGNERS = {"platform"}
SERVICE = "scoring service"  # the name of its process
TITLES = {"dossiers": "credit files (信用档案)"}


def add_to(app: typer.Typer) -> None:
    """Add this verb to the command line."""
    app.command()(status)


def status(as_json: AsJson = False) -> None:
    """Show which processes run, and which version and snapshot are in production.

    Processes of other machines are not seen.
    """
    home = Home.here()
    data = {
        "home": str(home.root),
        "exists": home.exists(),
        "running": processes(home),
        "production": production(home),
    }
    if as_json:
        output.document(data)
    else:
        _print(data)


def processes(home: Home) -> list[dict[str, Any]]:
    """The processes that run, each with its pid, its address and its state.

    A state is ``answers``, ``does not answer``, ``not ready`` (the scoring service without a snapshot to answer from),
    or ``runs`` for a process without a health check.
    """
    from infra.processes import running

    return [{"name": p.name, "pid": p.pid, "address": p.address, "state": _state(p)} for p in running(home)]


def _state(process: Process) -> str:
    from infra.processes import probe

    if not process.health:
        return "runs"
    if not process.answers:
        return "does not answer"
    return "not ready" if process.name == SERVICE and not probe(f"{process.address}/ready") else "answers"


def production(home: Home) -> list[dict[str, Any]]:
    """What the platform points at: of each model its champion, and the snapshot that answers are read from.

    A pointer or a seal that does not verify has the key ``problem`` in place of its values.
    """
    folder = home.root / "shelf" / "pointers"
    names = {path.stem.removeprefix(start) for start in (CHAMPION, SNAPSHOT) for path in folder.glob(f"{start}*.json")}
    return [_model(home, name) for name in sorted(names)]


def _model(home: Home, name: str) -> dict[str, Any]:
    data: dict[str, Any] = {"model": name}
    try:
        if champion := home.shelf.pointer(f"{CHAMPION}{name}", SIGNERS):
            version = str(champion["version"])
            granted = [e for e in home.ledger("platform").about(version) if e.verb == "promotion.granted"]
            data |= {"version": version, "since": granted[-1].at.isoformat() if granted else None}
            data["promoted_by"] = str(granted[-1].by) if granted else champion.get("by")
            data["expires_on"] = _seal(home, version).expires_on.isoformat()
        if pointed := home.shelf.pointer(f"{SNAPSHOT}{name}", SIGNERS):
            seal = _seal(home, str(pointed["snapshot"]))
            data |= {"snapshot": seal.id, "as_of": seal.terms.get("as_of"), "release": seal.terms.get("release")}
            data["snapshot_made_at"] = seal.made_at.isoformat()
            data["snapshot_version"] = seal.terms.get("version")
    except CreditError as error:
        data["problem"] = str(error)
    return data


def _seal(home: Home, name: str) -> Seal:
    return home.shelf.open(name, deep=False).seal


def _print(data: dict[str, Any]) -> None:
    output.line(f"[bold]home[/bold]  {data['home']}")
    if not data["exists"]:
        output.line("  it is not there yet: `haihe up` makes one with an invented city, `haihe keys` an empty one")
    output.line("[bold]running[/bold]")
    for each in data["running"]:
        colour = "green" if each["state"] in ("answers", "runs") else "yellow"
        place = f"{each['address']}  " if each["address"] else ""
        output.line(f"  [{colour}]{each['state']:15}[/{colour}] {each['name']:16} {place}(pid {each['pid']})")
    if not data["running"]:
        output.line("  nothing: `haihe up` starts the lab, `haihe serve` the scoring service alone")
    output.line("[bold]in production[/bold]")
    for each in data["production"]:
        _print_model(each)
    if not data["production"]:
        output.line("  nothing: `haihe promote` makes a version the champion, `haihe snapshot` scores subjects with it")


def _print_model(data: dict[str, Any]) -> None:
    output.line(f"  [bold]{TITLES.get(data['model'], data['model'])}[/bold]")
    if "version" in data:
        since = f"since {data['since'][:16].replace('T', ' ')} by {data['promoted_by']}" if data["since"] else ""
        output.line(f"    champion  {data['version']}  {since}".rstrip())
    if "snapshot" in data:
        output.line(f"    snapshot  {data['snapshot']}  records as of {data['as_of']}")
        output.line(f"    release   {data['release']}")
    if "version" in data and data.get("snapshot_version") not in (None, data["version"]):
        output.line("    [yellow]the snapshot is of an earlier version: run `haihe snapshot` again[/yellow]")
    if "problem" in data:
        output.line(f"    [red]{data['problem']}[/red]")
