"""The verb of retention (保存期限): destroy what nothing in use needs any more."""

from __future__ import annotations

from typing import Annotated

import typer

from credit.actor import Actor, Role
from infra import output, retention
from infra.home import Home
from infra.progress import progress
from infra.verbs import options
from infra.verbs.options import AsJson, By, Today

KEEPER = Actor("keeper", Role.PLATFORM)


def add_to(app: typer.Typer) -> None:
    """Put this verb on the command line."""
    app.command()(sweep)


def sweep(
    days: Annotated[int, typer.Option(help="Days that what was replaced is kept for.", min=1)] = retention.DAYS,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what is due, and destroy nothing.")] = False,
    today: Today = None,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Destroy releases and snapshots whose time is over, but for the rows that answers rest on.

    Every score can be traced and replayed as before. Stopped on the way it is run again: it goes on where it was.
    """
    home = Home.here()
    done = []
    with progress() as told:
        told("looking through the answers", 0, 0)
        rule = retention.Retention(home.shelf, home.ledger("service"), today or options.today(), days, told)
        due = rule.due()
        for number, each in enumerate([] if dry_run else due):
            told(f"destroying {each.seal.short}", number, len(due))
            ledger = home.ledger("platform", writing=True)
            done.append(rule.destroy(each, by=by or KEEPER, key=home.key("platform"), ledger=ledger))
    if as_json:
        output.result({"due": [{"id": each.seal.id, "why": each.why} for each in due], "destroyed": done}, as_json=True)
        return
    freed = {one["id"]: f"{one['bytes'] / 2**20:.1f}" for one in done}
    kept = {one["id"]: one["excerpt"][:20] if one["excerpt"] else "" for one in done}
    rows = [(e.seal.short, e.why, kept.get(e.seal.id, ""), freed.get(e.seal.id, "")) for e in due]
    title = f"{len(due)} {'would be destroyed' if dry_run else 'destroyed'}"
    output.table(title, ("seal", "why", "what answers rest on", "MiB freed"), rows)
