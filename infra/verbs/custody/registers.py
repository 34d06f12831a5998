"""Verbs of what custody keeps for the whole city: commitments (信用承诺) and theme libraries (专项主题库)."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from infra import output
from infra.home import Home
from infra.language.texts import localized
from infra.verbs import options
from infra.verbs.custody.records import catalogue_of, named
from infra.verbs.options import AsJson, By, CatalogueName, Today
from infra.verbs.requesting import carry_out

TABLES = ("table", "title", "rows", "first", "last", "files", "mib")
UNITS = ("unit", "level", "district", "deliveries", "last_number", "last_on", "missing", "rows")
COMMITMENTS = ("agency", "made", "due", "overdue", "checked", "kept", "broken", "measured", "repaired", "keeping_rate")


def add_to(app: typer.Typer) -> None:
    """Add these verbs to the command line."""
    app.command()(commitments)
    app.command()(theme)
    app.command()(holdings)


def commitments(
    due: Annotated[int, typer.Option(min=0, help="List those due within so many days that are not checked.")] = 0,
    catalogue: CatalogueName = "city",
    today: Today = None,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Count credit commitments (信用承诺) by agency: due, checked, kept, broken, repaired.

    A commitment is due at its end. One that is due and not checked is overdue.
    """
    arguments = {"due": due, "catalogue": named(catalogue)}
    made = carry_out(Home.here(), "commitments", arguments, by=by, today=options.requested_day(today)).private
    if as_json:
        output.document(made)
        return
    rows = [[_cell(agency[name]) for name in COMMITMENTS] for agency in made["agencies"]]
    output.table(localized("cli.commitments.by-agency"), COMMITMENTS, rows)
    if due:
        listed = [tuple(map(str, each.values())) for each in made["to_check"]]
        output.table(localized("cli.commitments.to-check"), ("commitment", "agency", "ends", "overdue"), listed)


def holdings(catalogue: CatalogueName = "city", by: By = "", as_json: AsJson = False) -> None:
    """Count what the vault has (归集总览): rows and years by table, deliveries by source unit.

    A unit is named by its code. Deliveries without a list are not among those of units.
    """
    made = carry_out(Home.here(), "holdings", {"catalogue": named(catalogue)}, by=by).private
    if as_json:
        output.document(made)
        return
    titles = {"tables": localized("cli.holdings.tables"), "units": localized("cli.holdings.units")}
    for name, columns in (("tables", TABLES), ("units", UNITS)):
        rows = [[str(each[column]) for column in columns] for each in made[name]]
        output.table(titles[name], columns, rows)


def theme(
    name: Annotated[str, typer.Argument(help="A theme; without one all are listed.")] = "",
    catalogue: CatalogueName = "city",
    today: Today = None,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Count a theme library (专项主题库): its subjects, and its records by table.

    A number of subjects below the theme's k is not shown. The records themselves stay in custody.
    """
    if not name:
        _list(catalogue, as_json)
        return
    arguments = {"theme": name, "catalogue": named(catalogue)}
    made = carry_out(Home.here(), "theme", arguments, by=by, today=options.requested_day(today)).private
    if as_json:
        output.document(made)
        return
    facts = {key: _cell(made[key]) for key in ("title", "owner", "as_of", "k", "subjects")}
    output.result(facts, as_json=False, text=localized("cli.theme.counted", name=name))
    tables = [(table, _cell(each["records"]), _cell(each["subjects"])) for table, each in made["tables"].items()]
    output.table(localized("cli.theme.tables"), ("table", "records", "subjects"), tables)
    districts = [(district, _cell(count)) for district, count in made["districts"].items()]
    output.table(localized("cli.theme.districts"), ("district", "subjects"), districts)


def _list(catalogue: str, as_json: bool) -> None:
    from privacy.themes.theme import all_themes

    themes = all_themes(catalogue_of(catalogue)).values()
    if as_json:
        output.document({each.name: {"title": each.title, "owner": each.owner, "k": each.k} for each in themes})
        return
    rows = [(each.name, each.title, each.owner, str(each.k)) for each in themes]
    output.table(localized("cli.theme.all"), ("theme", "title", "owner", "k"), rows)


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.1%}" if isinstance(value, float) else str(value)
