"""The verb ``compare``: what differs between two versions of a model, as the console's page shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from credit.errors import Missing
from infra import output
from infra.home import Home
from infra.language.texts import localized
from infra.verbs.options import AsJson

if TYPE_CHECKING:
    from lab.console.production.differences import VersionDifference


def add_to(app: typer.Typer) -> None:
    """Add this verb to the command line."""
    app.command()(compare)


def compare(
    new: Annotated[str, typer.Argument(help="A version, or a model: its newest version.")],
    old: Annotated[str, typer.Argument(help="The version whose place it takes; the champion by default.")] = "",
    as_json: AsJson = False,
) -> None:
    """Show what differs between two versions: features, which ranks better, who gets another grade.

    The comparison itself was measured in compute, when a version was trained or judged beside the champion.
    """
    from credit.versions import champion_of, require_version
    from lab.console.production.differences import difference

    home = Home.here()
    version = require_version(home.shelf, new)
    other = old or champion_of(home.shelf, str(version.seal.terms["model"]))
    if not other or other == version.seal.id:
        raise Missing("models-page.nothing-to-compare")
    pair = (version, require_version(home.shelf, other))
    ledgers = {zone: home.ledger(zone) for zone in ("platform", "compute")}
    entries = {zone: [e for each in pair for e in of.about(each.seal.id)] for zone, of in ledgers.items()}
    compared = difference(*pair, entries)
    if as_json:
        output.document(compared.as_json())
    else:
        _print(compared)


def _print(compared: VersionDifference) -> None:
    rows = [
        (each.name, *("–" if way is None else f"{way:+d}" for way in (each.new, each.old)))
        for each in compared.features
    ]
    output.message("cli.compare.features", shared=compared.shared, changed=len(rows))
    if rows:
        output.table(localized("cli.compare.title"), ("feature", "new", "old"), rows)
    if compared.measured is None:
        output.message("cli.compare.never")
        return
    gain = {name: f"{value:+.4f}" for name, value in compared.measured.gain.items()}
    output.message("cli.compare.gain", **gain)
    if changes := compared.measured.changes:
        output.message("cli.compare.moves", **{name: changes[name] for name in ("rows", "better", "same", "worse")})
        shares = {name: f"{share:.0%}" for name, share in changes["reasons"].items()}
        output.message("cli.compare.reasons", **shares)
