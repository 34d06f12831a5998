"""Verbs of a repair (信用修复): repair a record, and withdraw what is repaired from everything that is answered."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from credit.requests.failure import error_of
from infra import output
from infra.home import Home
from infra.language.texts import localized
from infra.verbs import options
from infra.verbs.custody.records import named
from infra.verbs.options import AsJson, By, CatalogueName, Today
from infra.verbs.requesting import Made, carry_out


def add_to(app: typer.Typer) -> None:
    """Add these verbs to the command line."""
    app.command()(repair)
    app.command()(withdraw)


def repair(
    documents: Annotated[list[str], typer.Argument(help="Document numbers of the records.")],
    subject: Annotated[str, typer.Option(help="The firm's code, where several have the number.")] = "",
    table: Annotated[str, typer.Option(help="The table, where several have the number.")] = "",
    on: Annotated[str, typer.Option(help="The day they were repaired; today by default.")] = "",
    catalogue: CatalogueName = "city",
    today: Today = None,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Repair records (信用修复) and take them out of everything that is answered.

    At once nothing is answered about their subjects; when the withdrawal is done, answers are made without the
    records. A command that was stopped on the way continues when it is run again.
    """
    arguments: dict[str, Any] = {"documents": documents, "on": on, "catalogue": named(catalogue)}
    arguments |= {name: value for name, value in (("subject", subject), ("table", table)) if value}
    started = time.monotonic()
    made = carry_out(Home.here(), "repair", arguments, by=by, today=options.requested_day(today))
    custody = made.results[0]
    changed = _changed(made)
    if custody["repaired"] or changed:
        _print(changed, started, as_json, repaired=custody["repaired"])
    errors = custody["failed"] or custody.get("refused") or []
    errors = errors or ([] if custody["repaired"] or changed else custody["repaired_before"])
    if errors:
        raise error_of(errors[0])


def withdraw(catalogue: CatalogueName = "city", today: Today = None, by: By = "", as_json: AsJson = False) -> None:
    """Take records out of all answers whose repairs came in with an intake."""
    started = time.monotonic()
    arguments = {"catalogue": named(catalogue)}
    made = carry_out(Home.here(), "withdraw", arguments, by=by, today=options.requested_day(today))
    _print(_changed(made), started, as_json)
    if refused := made.results[0]["refused"]:
        raise error_of(refused[0])


def _changed(made: Made) -> dict[str, Any]:
    """What was made again: releases by purpose, snapshots by model, credit files."""
    custody, compute = made.results[0], made.results[1]
    changed = {"releases": custody.get("releases", {}), "snapshots": compute.get("snapshots", {})}
    changed |= {"dossiers": compute["dossiers"]} if "dossiers" in compute else {}
    return {name: value for name, value in changed.items() if value}


def _print(made: dict[str, Any], started: float, as_json: bool, **more: Any) -> None:
    seconds = round(time.monotonic() - started, 1)
    if as_json:
        output.document({**more, **made, "seconds": seconds})
        return
    rows = {
        localized("cli.repair.release", purpose=purpose): name for purpose, name in made.get("releases", {}).items()
    }
    rows |= {localized("cli.repair.snapshot", model=model): name for model, name in made.get("snapshots", {}).items()}
    rows |= {"credit files": made["dossiers"]} if "dossiers" in made else {}
    text = localized("cli.repair.done" if made else "cli.repair.nothing")
    output.result({**more, **rows, "seconds": seconds}, as_json=False, text=text)
