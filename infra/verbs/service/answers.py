"""Verbs of an emergency: stop all answers of the scoring service, and start them again."""

from __future__ import annotations

from typing import Annotated

import typer

from infra import output
from infra.home import Home
from infra.language.texts import localized
from infra.verbs.options import AsJson, By
from infra.verbs.requesting import carry_out

Why = Annotated[str, typer.Option(help="Why, in words that every bank will read; they name no subject and no person.")]


def add_to(app: typer.Typer) -> None:
    """Add these verbs to the command line."""
    app.command("stop-answers")(stop_answers)
    app.command("start-answers")(start_answers)


def stop_answers(why: Why, by: By = "", as_json: AsJson = False) -> None:
    """Stop all answers of the scoring service at once, until they are started again.

    Every process refuses every request within a second, also after a restart. Banks with a webhook get a notice.
    """
    made = carry_out(Home.here(), "stop-answers", {"why": why}, by=by).last
    output.result(made, as_json=as_json, text=localized("cli.answers.stopped"))


def start_answers(why: Why, by: By = "", as_json: AsJson = False) -> None:
    """Let the scoring service answer again.

    Banks with a webhook get a notice.
    """
    made = carry_out(Home.here(), "start-answers", {"why": why}, by=by).last
    output.result(made, as_json=as_json, text=localized("cli.answers.started"))
