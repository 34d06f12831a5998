"""The verb ``export``: a version in the language of another system. The ledger records who exported it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from credit.actor import Role
from infra import output
from infra.home import Home
from infra.language.texts import localized
from infra.verbs.actors import BOB, acting
from infra.verbs.options import AsJson, By, Model


class ExportForm(StrEnum):
    """The languages that a version can be written in."""

    SQL = "sql"
    PMML = "pmml"


def add_to(app: typer.Typer) -> None:
    """Add this verb to the command line."""
    app.command()(export)


def export(
    name: Model,
    out: Annotated[Path, typer.Option(help="The file to write.")],
    form: Annotated[ExportForm, typer.Option("--as", help="The language.")] = ExportForm.SQL,
    table: Annotated[str, typer.Option(help="For SQL: the table that has the features.")] = "features",
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Write a version as one SQL SELECT or as PMML, for another system."""
    actor = acting(by, BOB, Role.PLATFORM, act="act.export-version")

    from credit.canonical import digest
    from credit.files import write_atomically
    from infra.verbs.seals import version_of
    from models.registry.exports.pmml import as_pmml
    from models.registry.exports.sql import as_sql
    from models.scoring.scorer import Scorer

    home = Home.here()
    version = version_of(home, name)
    scorer = Scorer.load(version.path)
    text = as_sql(scorer, table) if form is ExportForm.SQL else as_pmml(scorer)
    details = {"as": str(form), "digest": digest(text.encode())}
    home.ledger("platform", writing=True).append("version.exported", version.seal.id, by=actor, details=details)
    write_atomically(out, text.encode())
    data = {"version": version.seal.id, "as": str(form), "file": str(out), "bytes": len(text)}
    output.result(data, as_json=as_json, text=localized("cli.export.written", file=output.safe(out)))
