"""Verbs of an emergency: close all exits of the lab, and open them again."""

from __future__ import annotations

from typing import Annotated

import typer

from infra import output
from infra.home import Home
from infra.language.texts import localized
from infra.verbs.options import AsJson, By
from infra.verbs.requesting import carry_out

Why = Annotated[str, typer.Option(help="Why, in words that every researcher will read.")]


def add_to(app: typer.Typer) -> None:
    """Add these verbs to the command line."""
    app.command("close-exits")(close_exits)
    app.command("open-exits")(open_exits)


def close_exits(why: Why, by: By = "", as_json: AsJson = False) -> None:
    """Let nothing leave the lab until the exits are opened again.

    No parcel is collected, no table leaves, no collected file is downloaded. What waits for a review stays.
    """
    made = carry_out(Home.here(), "close-exits", {"why": why}, by=by).last
    output.result(made, as_json=as_json, text=localized("cli.exits.closed"))


def open_exits(why: Why, by: By = "", as_json: AsJson = False) -> None:
    """Let what is approved leave the lab again."""
    made = carry_out(Home.here(), "open-exits", {"why": why}, by=by).last
    output.result(made, as_json=as_json, text=localized("cli.exits.opened"))
