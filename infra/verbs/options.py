"""Options that several verbs have, said once."""

from __future__ import annotations

import os
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from credit.actor import Actor
from credit.errors import Malformed


def day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Malformed("options.not-day", why=text) from error


def today() -> date:
    """The day it is: ``HAIHE_TODAY``, which the invented city needs, or the real one."""
    told = os.environ.get("HAIHE_TODAY")
    return day(told) if told else datetime.now().astimezone().date()


Today = Annotated[
    date | None, typer.Option("--today", parser=day, metavar="DAY", help="The day it is; the real one unless told.")
]
By = Annotated[Actor | None, typer.Option("--by", parser=Actor.parse, metavar="ROLE:NAME", help="Who does it.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of words.")]
CatalogueName = Annotated[str, typer.Option("--catalogue", help="The catalogue: city, beijing, cumcm or a folder.")]
Folder = Annotated[Path, typer.Argument(help="A folder.")]
