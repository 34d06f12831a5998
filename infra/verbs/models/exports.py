"""The verb ``export``: a version in the language of another system. The ledger records who exported it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from infra import output
from infra.home import Home
from infra.language.texts import localized
from infra.verbs.options import AsJson, By, Champion
from infra.verbs.requesting import carry_out


class ExportForm(StrEnum):
    """The languages that a version can be written in."""

    SQL = "sql"
    PMML = "pmml"


def add_to(app: typer.Typer) -> None:
    """Add this verb to the command line."""
    app.command()(export)


def export(
    name: Champion,
    out: Annotated[Path, typer.Option(help="The file to write.")],
    form: Annotated[ExportForm, typer.Option("--as", help="The language.")] = ExportForm.SQL,
    table: Annotated[str, typer.Option(help="For SQL: the table that has the features.")] = "features",
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Write a version as one SQL SELECT or as PMML, for another system."""
    from credit.files import write_atomically

    made = carry_out(Home.here(), "export", {"version": name, "form": str(form), "table": table}, by=by)
    write_atomically(out, made.private["text"].encode())
    data = {
        "version": made.last["version"],
        "as": str(form),
        "file": str(out),
        "bytes": made.last["bytes"],
        "champion": made.last["champion"],
    }
    champion = made.last["champion"]
    text = localized("cli.export.written" if champion else "cli.export.not-champion", file=output.safe(out))
    output.result(data, as_json=as_json, text=text)
