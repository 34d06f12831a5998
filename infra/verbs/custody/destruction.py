"""The verb of destruction (密钥销毁): show the periods of a table, or destroy the key of one, and with it its rows."""

from __future__ import annotations

from typing import Annotated

import typer

from infra import output
from infra.home import Home
from infra.language.texts import localized
from infra.verbs.options import AsJson, By
from infra.verbs.requesting import carry_out


def add_to(app: typer.Typer) -> None:
    """Add this verb to the command line."""
    app.command()(shred)


def shred(
    table: Annotated[str, typer.Argument(help="The table.")],
    period: Annotated[str, typer.Argument(help="The period to destroy; without one they are listed.")] = "",
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Destroy the key of a table's period, so that its rows cannot be read again (密钥销毁)."""
    made = carry_out(Home.here(), "shred", {"table": table, "period": period}, by=by)
    if as_json:
        output.document(made.last)
    elif period:
        output.message("cli.shred.destroyed", table=table, period=period, count=made.last["rows"])
    else:
        rows = [(name, str(count)) for name, count in made.last["periods"].items()]
        output.table(localized("cli.shred.periods", table=table), ("period", "rows"), rows)
