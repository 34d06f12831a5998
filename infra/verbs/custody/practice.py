"""The verb of practice tables (练习数据)."""

from __future__ import annotations

from typing import Annotated

import typer

from infra import output
from infra.home import Home
from infra.language.texts import localized
from infra.verbs import options
from infra.verbs.custody.records import named
from infra.verbs.options import AsJson, By, CatalogueName, Today
from infra.verbs.requesting import carry_out


def add_to(app: typer.Typer) -> None:
    """Add this verb to the command line."""
    app.command()(practice)


def practice(
    subjects: Annotated[int, typer.Option(min=100, max=1_000_000, help="How many invented subjects.")] = 5_000,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same tables, to the byte.")] = 1,
    catalogue: CatalogueName = "city",
    today: Today = None,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Make practice tables (练习数据): every table of the catalogue, invented.

    They have the form of a release, and no value comes from a record. SQL that runs on them runs on a release too.
    """
    arguments = {"subjects": subjects, "seed": seed, "catalogue": named(catalogue)}
    made = carry_out(Home.here(), "practice", arguments, by=by, today=options.requested_day(today)).last
    output.result(made, as_json=as_json, text=localized("cli.practice.made"))
