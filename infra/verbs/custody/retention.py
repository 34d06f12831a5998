"""The verb of retention (保存期限): destroy what nothing in use needs any more."""

from __future__ import annotations

from typing import Annotated

import typer

from infra import output
from infra.home import Home
from infra.language.texts import localized, translated
from infra.verbs import options
from infra.verbs.options import AsJson, By, Today
from infra.verbs.requesting import carry_out

DAYS = 30


def add_to(app: typer.Typer) -> None:
    """Add this verb to the command line."""
    app.command()(sweep)


def sweep(
    days: Annotated[int, typer.Option(help="How many days a replaced seal is kept.", min=1)] = DAYS,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what is due, and destroy nothing.")] = False,
    today: Today = None,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Destroy releases and snapshots whose retention period is over.

    The rows that answers rest on are kept in an excerpt, so that every score can be traced and replayed as before. A
    command that was stopped on the way continues when it is run again.
    """
    arguments = {"days": days, "dry_run": dry_run}
    made = carry_out(Home.here(), "sweep", arguments, by=by, today=options.requested_day(today))
    due, destroyed = made.results[0]["due"], made.results[0]["destroyed"]
    freed = {name: size for step in made.results[1:] for name, size in step["freed"].items()}
    done = [{**one, "bytes": freed.get(one["id"], 0)} for one in destroyed]
    if as_json:
        output.document({"due": due, "destroyed": done})
        return
    if not due:
        output.message("cli.sweep.nothing-due")
        return
    sizes = {one["id"]: f"{one['bytes'] / 2**20:.1f}" for one in done}
    kept = {one["id"]: one["excerpt"][:20] if one["excerpt"] else "" for one in done}
    rows = [(e["id"][:20], translated(e["why"]), kept.get(e["id"], ""), sizes.get(e["id"], "")) for e in due]
    title = localized("cli.sweep.would-be-destroyed" if dry_run else "cli.sweep.destroyed", count=len(due))
    output.table(title, ("seal", "why", "excerpt of what answers rest on", "MiB freed"), rows)
