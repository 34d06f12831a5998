"""The monthly evaluation (按月评价): every subject by its public records, sealed, with who rose or fell, drawn."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from infra import output
from infra.home import Home
from infra.verbs import options
from infra.verbs.options import AsJson, By, Today
from infra.verbs.requesting import carry_out


def add_to(app: typer.Typer) -> None:
    """Add this verb to the command line."""
    app.command()(evaluate)


def evaluate(
    period: Annotated[str, typer.Option(help="The month, as 2026-11.")],
    kind: Annotated[list[str] | None, typer.Option(help="A kind of subjects; by default all.")] = None,
    release: Annotated[str, typer.Option(help="A scoring release; the newest by default.")] = "",
    here: Annotated[bool, typer.Option("--here", help="Without a cluster, in this process.")] = False,
    today: Today = None,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Evaluate every subject for a month: grades, and who rose or fell.

    The evaluation is that of public records by declared indicators; no model has a part in it.

    A command that was stopped on the way continues when it is run again.
    """
    from models.snapshots import migration_report

    home = Home.here()
    arguments = {"period": period, "kinds": kind or [], "release": release, "here": here}
    made = carry_out(home, "evaluate", arguments, by=by, today=options.requested_day(today))
    data: dict[str, Any] = {name: made.results[0][name] for name in ("period", "as_of", "models")}
    titles = made.private["titles"]
    page = home.root / "reports" / f"evaluation-{period}.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(migration_report.report_page(data, titles), encoding="utf-8")
    data["page"] = str(page)
    if as_json:
        output.document(data)
    else:
        summarise(data)


def summarise(data: dict[str, Any]) -> None:
    """Print an evaluation in a few lines a model: how many, their grades, how many moved, and what was made."""
    output.message("cli.evaluate.head", period=data["period"], as_of=data["as_of"])
    for name, model in data["models"].items():
        output.message("cli.evaluate.model", model=name, subjects=model["subjects"])
        output.message("cli.evaluate.grades", shares=output.shares(model["grades"]))
        if model["last"]:
            output.message("cli.evaluate.before", shares=output.shares(model["last_grades"]))
            output.message("cli.evaluate.moved", **model["moved"])
        else:
            output.message("cli.evaluate.first")
        output.message("cli.evaluate.snapshot", snapshot=model["snapshot"])
        output.message("cli.evaluate.version", version=model["version"])
    output.message("cli.evaluate.page", page=data["page"])
