"""The verb ``status``: which processes of the home run, and what is in production."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from credit.champion_history import GRANTED
from credit.errors import CreditError
from credit.messages import language_here
from credit.versions import CHAMPION, POINTS
from infra import output
from infra.home import Home
from infra.language.texts import field, localized
from infra.verbs.options import AsJson

if TYPE_CHECKING:
    from credit.seal import Seal
    from infra.processes import Process

SNAPSHOT = "snapshot-"  # the names of pointers to snapshots on the shelf begin so
SERVICE = "scoring service"  # the name of its process
DOSSIERS = "dossiers"


def add_to(app: typer.Typer) -> None:
    """Add this verb to the command line."""
    app.command()(status)


def status(as_json: AsJson = False) -> None:
    """Show which processes run, and which version and snapshot are in production.

    Processes of other machines are not seen.
    """
    from infra.processes import unreadable

    home = Home.here()
    data = {
        "home": str(home.root),
        "exists": home.exists(),
        "running": processes(home),
        "unreadable": unreadable(home),
        "production": production(home, "en" if as_json else language_here()),
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


def production(home: Home, in_language: str = "en") -> list[dict[str, Any]]:
    """What the platform points at: of each model its champion, and the snapshot that answers are read from.

    A pointer or a seal that does not verify has the key ``problem``, in a language, in place of its values.
    """
    folder = home.root / "shelf" / "pointers"
    names = {path.stem.removeprefix(start) for start in (CHAMPION, SNAPSHOT) for path in folder.glob(f"{start}*.json")}
    return [_model(home, name, in_language) for name in sorted(names)]


def _model(home: Home, name: str, in_language: str) -> dict[str, Any]:
    data: dict[str, Any] = {"model": name}
    try:
        if champion := home.shelf.pointer(f"{CHAMPION}{name}", POINTS):
            version = str(champion["version"])
            granted = [e for e in home.ledger("platform").about(version) if e.verb == GRANTED]
            data |= {"version": version, "since": granted[-1].at.isoformat() if granted else None}
            data["promoted_by"] = str(granted[-1].by) if granted else champion.get("by")
            data["expires_on"] = _seal(home, version).expires_on.isoformat()
        if pointed := home.shelf.pointer(f"{SNAPSHOT}{name}", POINTS):
            seal = _seal(home, str(pointed["snapshot"]))
            data |= {"snapshot": seal.id, "as_of": seal.terms.get("as_of"), "release": seal.terms.get("release")}
            data["snapshot_made_at"] = seal.made_at.isoformat()
            data["snapshot_version"] = seal.terms.get("version")
    except CreditError as error:
        data["problem"] = error.in_language(in_language)
    return data


def _seal(home: Home, name: str) -> Seal:
    return home.shelf.open(name, deep=False).seal


def _print(data: dict[str, Any]) -> None:
    output.message("cli.status.home", home=data["home"])
    if not data["exists"]:
        output.message("cli.status.no-home")
    output.message("cli.status.running")
    for each in data["running"]:
        colour = "green" if each["state"] in ("answers", "runs") else "yellow"
        place = f"{output.safe(each['address'])}  " if each["address"] else ""
        state, name = output.padded(field(each["state"]), 15), output.padded(field(each["name"]), 16)
        output.line(f"  [{colour}]{output.safe(state)}[/{colour}] {output.safe(name)} {place}(pid {each['pid']})")
    for name in data["unreadable"]:
        state = output.padded(field("unreadable"), 15)
        output.line(f"  [yellow]{state}[/yellow] {output.safe(name)}")
    if not data["running"] and not data["unreadable"]:
        output.message("cli.status.nothing-runs")
    output.message("cli.status.in-production")
    for each in data["production"]:
        _print_model(each)
    if not data["production"]:
        output.message("cli.status.nothing-in-production")


def _print_model(data: dict[str, Any]) -> None:
    title = localized("cli.status.credit-files") if data["model"] == DOSSIERS else data["model"]
    output.line(f"  [bold]{output.safe(title)}[/bold]")
    if "version" in data:
        at, by = (data["since"] or "")[:16].replace("T", " "), data["promoted_by"]
        since = localized("cli.status.since", at=at, by=by) if at else ""
        output.message("cli.status.champion", version=data["version"], since=since)
    if "snapshot" in data:
        output.message("cli.status.snapshot", snapshot=data["snapshot"], as_of=data["as_of"])
        output.message("cli.status.release", release=data["release"])
    if "version" in data and data.get("snapshot_version") not in (None, data["version"]):
        output.message("cli.status.earlier-version")
    if "problem" in data:
        output.line(f"    [red]{output.safe(data['problem'])}[/red]")
