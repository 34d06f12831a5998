"""Verbs of rows: make rows of features of real subjects, and attack rows that were released."""

from __future__ import annotations

from typing import Annotated

import typer

from infra import output
from infra.home import Home
from infra.language.texts import localized
from infra.verbs import options
from infra.verbs.models.training import declaration
from infra.verbs.options import AsJson, By, Today
from infra.verbs.requesting import carry_out


def add_to(app: typer.Typer) -> None:
    """Add these verbs to the command line."""
    for verb in (rows, attack):
        app.command()(verb)


def rows(
    name: Annotated[str, typer.Argument(help="A declaration, whose features are the columns.")],
    project: Annotated[str, typer.Option(help="The project that the rows are for.")],
    as_of: Annotated[list[str], typer.Option("--as-of", metavar="DAY", help="A first of a month; may be repeated.")],
    label: Annotated[str, typer.Option(help="An outcome, such as defaulted.")] = "",
    population: Annotated[str, typer.Option(help="A condition over the open columns, as they are shown.")] = "",
    sample: Annotated[int | None, typer.Option(min=1, help="About so many rows, in whole groups.")] = None,
    release: Annotated[str, typer.Option(help="A research release; the newest by default.")] = "",
    today: Today = None,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Make rows of features (特征行) of real subjects, among which no subject is found.

    All that is open is alike in groups; the gate attacks the rows before they are sealed.
    """
    order = declaration(name)
    arguments = {
        "project": project,
        "kind": order.subject_kind or "",
        "sql": order.sql,
        "as_of": list(as_of),
        "label": label,
        "population": population,
        "sample": sample,
        "release": release,
    }
    made = carry_out(Home.here(), "rows", arguments, by=by, today=options.requested_day(today)).last
    text = localized("cli.rows.made", count=made["count"])
    output.result(
        {"rows": made["rows"]} | ({"verdict": made["verdict"]} if as_json else {}), as_json=as_json, text=text
    )


def attack(
    seal: Annotated[str, typer.Argument(help="The id of rows that were released.")],
    known: Annotated[int | None, typer.Option(min=1, max=50, help="How many public records are known.")] = None,
    today: Today = None,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Attack rows that were released, as their gate did.

    For each attacker: the share of subjects found alone, among at most five, and the chance of a right guess.
    """
    arguments = {"seal": seal, "known": known}
    made = carry_out(Home.here(), "attack", arguments, by=by, today=options.requested_day(today)).last
    if as_json:
        output.document(made)
        return
    output.line(localized("cli.attack.tried", count=made["rows"]))
    for attacker, figures in made["figures"].items():
        output.line(localized("cli.attack.figures", attacker=_in_words(attacker), **figures))


def _in_words(attacker: str) -> str:
    """The name of an attacker (models/rows/attack/attackers.py), for a reader."""
    if attacker == "all_knowing":
        return localized("cli.attack.all-knowing")
    kind, _, rest = attacker.partition("_")
    known = rest.removesuffix("_register").removesuffix("_all_knowing")
    more = known != rest
    match kind:
        case "records":
            return localized("cli.attack.records-register" if more else "cli.attack.records", count=int(known))
        case "bank":
            return localized("cli.attack.bank-all-knowing" if more else "cli.attack.bank", table=known)
        case "partner":
            return localized("cli.attack.partner-all-knowing" if more else "cli.attack.partner", table=known)
        case _:
            return attacker
