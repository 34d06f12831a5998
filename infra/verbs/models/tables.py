"""The verb of tables: an aggregate over the records themselves, judged on the subjects in each cell."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from credit.errors import Malformed, Missing
from infra import output
from infra.home import Home
from infra.language.texts import localized
from infra.verbs import options
from infra.verbs.options import AsJson, By, Today
from infra.verbs.requesting import carry_out


def add_to(app: typer.Typer) -> None:
    """Add this verb to the command line."""
    app.command()(table)


def table(
    sql: Annotated[str, typer.Argument(help="One aggregate SELECT, or @FILE with it.")],
    project: Annotated[str, typer.Option(help="The project that the table is for.")],
    as_of: Annotated[str, typer.Option("--as-of", metavar="DAY", help="A first of a month.")],
    kind: Annotated[str, typer.Option(help="The kind of subjects.")] = "enterprise",
    release: Annotated[str, typer.Option(help="A research release; the newest by default.")] = "",
    at_most: Annotated[
        list[str] | None,
        typer.Option("--at-most", metavar="COLUMN=NUMBER", help="The largest total of one subject, under noise."),
    ] = None,
    today: Today = None,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Make an aggregate table (汇总表) over records, judged on the subjects in each cell.

    Unsafe cells are suppressed; what would isolate a few subjects beside earlier tables is not given.
    """
    bounds: dict[str, Any] = {"at_most": dict(map(_bound, at_most))} if at_most else {}
    arguments = {"project": project, "kind": kind, "sql": _text(sql), "as_of": as_of, "release": release} | bounds
    made = carry_out(Home.here(), "table", arguments, by=by, today=options.requested_day(today)).last
    if as_json:
        output.document({name: made[name] for name in ("table", "suppressed", "noise", "columns", "verdict")})
        return
    title = localized("cli.table.made", count=made["count"], suppressed=made["suppressed"])
    if made["noise"]:
        title = localized("cli.table.noisy", count=made["count"], epsilon=made["noise"]["epsilon"])
    names = tuple(str(column["name"]) for column in made["columns"])
    lines = zip(*(column["values"] for column in made["columns"]), strict=True)
    output.table(title, names, [tuple("" if value is None else value for value in line) for line in lines])


def _bound(text: str) -> tuple[str, float]:
    name, _, number = text.partition("=")
    try:
        return name.strip(), float(number)
    except ValueError as error:
        raise Malformed("tables.bound-unreadable") from error


def _text(sql: str) -> str:
    if not sql.startswith("@"):
        return sql
    path = Path(sql[1:])
    if not path.is_file():
        raise Missing("tables.no-sql-file", path_name=path.name)
    return path.read_text(encoding="utf-8")
