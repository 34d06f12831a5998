"""Verbs of an auditor: trace, shelf, catalogue, and those of the ledgers."""

from __future__ import annotations

from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Annotated

import typer

from credit.errors import Missing
from infra import output
from infra.home import Home
from infra.language.texts import localized
from infra.progress import progress
from infra.verbs.lab.ledgers import ledger_app
from infra.verbs.options import AsJson

PURPOSES = ("research", "scoring", "inquiry")


def add_to(app: typer.Typer) -> None:
    """Add these verbs to the command line."""
    app.command()(trace)
    app.command()(shelf)
    app.command()(catalogue)
    app.add_typer(ledger_app, name="ledger")


def trace(
    name: Annotated[str, typer.Argument(help="A score id, or the id of a seal.")],
    supplied: Annotated[
        Path | None,
        typer.Option(
            "--brought",
            help="For a live score: a JSON file of the `features` sent and the answer's `salt`.",
            exists=True,
            dir_okay=False,
            readable=True,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Trace a score or a seal back to its release and verify everything on the way.

    A score is computed again from what is sealed, and its digest compared.
    """
    from credit.trace import trace as walk_back
    from serving.endpoints.scores.replay import ReplayInput, replay

    home = Home.here()
    values = ReplayInput.parse(supplied.read_bytes()) if supplied else None
    replayed = ""
    with progress() as report:
        report("walking back, verifying everything", 0, 0)
        chain = walk_back(name, shelf=home.shelf, ledgers=home.ledgers())
        if chain.links[0].kind == "score":
            report("scoring again", 0, 0)
            with suppress(Missing) if values is None else nullcontext():  # a live score is traced without them too
                replayed = replay(chain.links[0].id, home.ledger("service"), home.shelf, values).digest
    if as_json:
        output.document({**chain.as_json(), "replayed": replayed})
        return
    output.trace_chain(chain)
    if replayed:
        output.message("cli.trace.replayed", digest=replayed[:16])


def shelf(as_json: AsJson = False) -> None:
    """List every seal on the shelf."""
    from credit.seal import Kind

    home = Home.here()
    with progress() as report:
        report("reading the seals", 0, 0)
        seals = [seal for kind in Kind for seal in home.shelf.list(kind)]
    if as_json:
        rows = [{"id": s.id, "made_by": str(s.made_by), "expires_on": s.expires_on} for s in seals]
        output.document({"seals": rows})
        return
    named = [(s.short, s.terms.get("model") or s.terms.get("purpose", ""), s) for s in seals]
    shown = [(short, of, s.made_by, f"{s.made_at:%Y-%m-%d %H:%M}", s.expires_on) for short, of, s in named]
    output.table(localized("cli.shelf.title"), ("seal", "of", "made by", "made at", "expires on"), shown)


def catalogue(
    table: Annotated[str, typer.Argument(help="One table; all of them when left out.")] = "",
    name: Annotated[str, typer.Option("--catalogue", help="city, beijing or cumcm.")] = "city",
    as_json: AsJson = False,
) -> None:
    """Show the catalogue: its tables, or one table's fields with their rules."""
    from credit.catalogue import Catalogue

    known = Catalogue.load(name)
    heads: tuple[str, ...] = ("table", "title", "source", "openness", "sharing", "fields")
    rows: list[tuple[str, ...]]
    if table:
        one = known.table(table)
        heads = ("field", "column", "title", "type", "unit", "role", *PURPOSES)
        rows = [
            (f.name, f.column, f.title, f.type, f.unit or "", f.role, *(f.rule(purpose) for purpose in PURPOSES))
            for f in one.fields
        ]
        title, key, head = f"{one.title} {one.name} — {one.source}", "fields", {"table": one.name, "title": one.title}
    else:
        rows = [
            (t.name, t.title, t.source, str(t.openness), str(t.sharing), str(len(t.fields)))
            for t in known.tables.values()
        ]
        title, key, head = localized("cli.catalogue.title", name=known.name, version=known.version[:12]), "tables", {}
    if as_json:
        listed = [dict(zip(heads, row, strict=True)) for row in rows]
        output.document({"catalogue": known.name, "version": known.version, **head, key: listed})
    else:
        output.table(title, heads, rows)
