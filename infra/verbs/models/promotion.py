"""Verbs of a version in use: register, promote, snapshot."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from credit.errors import Malformed, Refused
from credit.gate import Finding
from infra import output
from infra.home import Home
from infra.language.texts import localized
from infra.verbs import options
from infra.verbs.options import AsJson, By, Model, Today
from infra.verbs.requesting import carry_out

LONGEST_NOTE = 200  # characters


def add_to(app: typer.Typer) -> None:
    """Add these verbs to the command line."""
    for verb in (register, promote, snapshot):
        app.command()(verb)


def register(
    name: Model,
    note: Annotated[str, typer.Option(help="What those who judge it should know.")] = "",
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Put a version into MLflow and request its promotion."""
    if len(note) > LONGEST_NOTE:
        raise Malformed("models-page.reason-too-long", most=LONGEST_NOTE)
    arguments = {"version": name} | ({"note": note} if note else {})
    made = carry_out(Home.here(), "register", arguments, by=by).last
    output.result(made, as_json=as_json, text=localized("cli.register.done"))


def promote(
    name: Model,
    again: Annotated[str, typer.Option(help="Roll back to a version that was promoted before: the reason.")] = "",
    waive: Annotated[str, typer.Option(help="Accept what the gate leaves to a person: the reason.")] = "",
    refuse: Annotated[str, typer.Option(help="Refuse the promotion that is requested: the reason.")] = "",
    today: Today = None,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Judge a version at the gate and, when it passes, make it the champion.

    A version that scores individual businesses takes two people, who judge it one after the other. Neither the maker of
    the version nor the person who requested the promotion may judge it.
    """
    if (bool(again), bool(waive), bool(refuse)).count(True) > 1:
        raise Malformed("promote-verb.one-of-three")
    verb = "roll-back" if again else "refuse-promotion" if refuse else "promote"
    arguments = {"version": name}
    arguments |= {"why": again or refuse} if again or refuse else {"waiver": waive} if waive else {}
    home, day = Home.here(), options.requested_day(today)
    try:
        made = carry_out(home, verb, arguments, by=by, today=day).last
    except Refused as error:
        verdict = last_refusal(home, name) if error.findings else None
        if verdict:
            _print_verdict({"version": name, "verdict": verdict}, error.findings, as_json)
        raise
    if refuse:
        made = {**made, "granted": False}
    findings = [Finding.read(each) for each in made.get("verdict", {}).get("findings", ())]
    _print_verdict(made, tuple(findings), as_json)


def _print_verdict(data: dict[str, Any], findings: tuple[Finding, ...], as_json: bool) -> None:
    if as_json:
        output.document(data)
    else:
        output.gate_verdict(data, findings)


def last_refusal(home: Home, name: str) -> dict[str, Any] | None:
    """The last verdict in the ledger that refused a version; None when it never came to a verdict."""
    from credit.versions import require_version

    version = require_version(home.shelf, name).seal.id
    entries = [e for e in home.ledger("platform").about(version) if e.verb == "promotion.refused"]
    return dict(entries[-1].details["verdict"]) if entries else None


def snapshot(
    name: Annotated[str, typer.Argument(help="A model: its champion is used.")],
    release: Annotated[str, typer.Option(help="A scoring release; the newest by default.")] = "",
    today: Today = None,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Score every subject with the champion, for the service to answer from."""
    arguments = {"model": name, "release": release}
    made = carry_out(Home.here(), "snapshot", arguments, by=by, today=options.requested_day(today)).results[0]
    shares = dict(made["shares"])
    data: dict[str, Any] = {"snapshot": made["snapshots"][name], "model": name, "subjects": made["subjects"]}
    words = data | {"shares": shares if as_json else output.shares(shares)}
    output.result(words, as_json=as_json, text=localized("cli.snapshot.made"))
