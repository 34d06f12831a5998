"""The verb of retention (保存期限): destroy what nothing in use needs any more."""

from __future__ import annotations

from typing import Annotated

import typer

from credit.actor import Role
from infra import output
from infra.home import Home
from infra.language.texts import localized, translated
from infra.progress import progress
from infra.verbs import options
from infra.verbs.actors import RETENTION_OFFICER, acting
from infra.verbs.options import AsJson, By, Today

DAYS = 30  # as infra.retention has it


def add_to(app: typer.Typer) -> None:
    """Add this verb to the command line."""
    app.command()(sweep)


def sweep(
    days: Annotated[int, typer.Option(help="How many days a replaced seal is kept.", min=1)] = DAYS,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what is due, and destroy nothing.")] = False,
    today: Today = None,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Destroy releases and snapshots whose retention period is over.

    The rows that answers rest on are kept in an excerpt, so that every score can be traced and replayed as before. A
    command that was stopped on the way continues when it is run again.
    """
    actor = acting(by, RETENTION_OFFICER, Role.PLATFORM, Role.SERVICE, act="act.destroy-seals")

    from infra import retention

    home = Home.here()
    done = []
    with progress() as report:
        report("reading the answers", 0, 0)
        rule = retention.Retention(home.shelf, home.ledger("service"), today or options.today(), days, report)
        due = rule.due()
        for number, each in enumerate([] if dry_run else due):
            report(f"destroying {each.seal.short}", number, len(due))
            ledger = home.ledger("platform", writing=True)
            done.append(rule.destroy(each, by=actor, key=home.key("platform"), ledger=ledger))
    if as_json:
        output.document({"due": [{"id": each.seal.id, "why": each.why} for each in due], "destroyed": done})
        return
    if not due:
        output.message("cli.sweep.nothing-due")
        return
    freed = {one["id"]: f"{one['bytes'] / 2**20:.1f}" for one in done}
    kept = {one["id"]: one["excerpt"][:20] if one["excerpt"] else "" for one in done}
    rows = [(e.seal.short, translated(e.why), kept.get(e.seal.id, ""), freed.get(e.seal.id, "")) for e in due]
    title = localized("cli.sweep.would-be-destroyed" if dry_run else "cli.sweep.destroyed", count=len(due))
    output.table(title, ("seal", "why", "excerpt of what answers rest on", "MiB freed"), rows)
