"""Options that several verbs have, defined once."""

from __future__ import annotations

import os
from datetime import date, datetime
from typing import Annotated

import typer

from credit.errors import Malformed
from credit.messages import Text


def day(text: str) -> date:
    """A day written as 2026-11-01; raises :class:`Malformed`."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Malformed("options.not-day", why=Text.verbatim(text)) from error


def today() -> date:
    """The current day: ``HAIHE_TODAY``, which the invented city needs, or the real one."""
    fixed = os.environ.get("HAIHE_TODAY")
    return day(fixed) if fixed else datetime.now().astimezone().date()


def requested_day(given: date | None) -> str:
    """The day that a request names: ``--today``, else ``HAIHE_TODAY``; empty for the real one."""
    return given.isoformat() if given else os.environ.get("HAIHE_TODAY", "")


Today = Annotated[
    date | None, typer.Option("--today", parser=day, metavar="DAY", help="The current day; the real one by default.")
]
By = Annotated[
    str,
    typer.Option(
        "--by",
        metavar="ROLE:NAME",
        envvar="HAIHE_BY",
        help="Who does it, in an invented home; elsewhere sign in with `haihe login`.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of words.")]
CatalogueName = Annotated[str, typer.Option("--catalogue", help="The catalogue: city, beijing, cumcm or a folder.")]
Model = Annotated[str, typer.Argument(help="A model (its newest version) or the id of a version.")]
Champion = Annotated[str, typer.Argument(help="A model (its champion) or the id of a version.")]
