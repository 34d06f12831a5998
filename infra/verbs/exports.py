"""A version in the language of another system: one SELECT, or PMML. Who took it out stands in the ledger."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from credit.actor import Role
from credit.canonical import digest
from credit.files import write_whole
from infra import output
from infra.home import Home
from infra.verbs.options import AsJson, By
from infra.verbs.seals import BOB, version_of
from models.registry.exports.pmml import as_pmml
from models.registry.exports.sql import as_sql
from models.scoring.scorer import Scorer


class Form(StrEnum):
    """The languages there are."""

    SQL = "sql"
    PMML = "pmml"


def add_to(app: typer.Typer) -> None:
    """Put this verb on the command line."""
    app.command()(export)


def export(
    name: Annotated[str, typer.Argument(help="A model (its newest version) or the id of a version.")],
    out: Annotated[Path, typer.Option(help="The file to write.")],
    form: Annotated[Form, typer.Option("--as", help="The language.")] = Form.SQL,
    table: Annotated[str, typer.Option(help="For SQL: the table that has the features.")] = "features",
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Write a version as one SELECT or as PMML, for a system that cannot run ours."""
    home, who = Home.here(), by or BOB
    who.must_be(Role.PLATFORM, act="export a version")
    version = version_of(home, name)
    scorer = Scorer.load(version.path)
    text = as_sql(scorer, table) if form is Form.SQL else as_pmml(scorer)
    because = {"as": str(form), "digest": digest(text.encode())}
    home.ledger("platform", writing=True).append("version.exported", version.seal.id, by=who, because=because)
    write_whole(out, text.encode())
    told = {"version": version.seal.id, "as": str(form), "file": str(out), "bytes": len(text)}
    output.result(told, as_json=as_json, text=f"written to {out}")
