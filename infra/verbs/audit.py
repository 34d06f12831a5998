"""Verbs for whoever asks who, when and why: trace, ledger, shelf, catalogue."""

from __future__ import annotations

from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Annotated

import typer

from credit.catalogue import Catalogue
from credit.errors import Broken, Missing
from credit.seal import Kind
from credit.trace import trace as walk_back
from infra import output
from infra.home import Home
from infra.progress import progress
from infra.verbs.options import AsJson
from serving.endpoints.scores.replay import Brought, replay

ledger_app = typer.Typer(help="The ledgers: who did what, when, because of what.", no_args_is_help=True)

PURPOSES = ("research", "scoring", "inquiry")


def add_to(app: typer.Typer) -> None:
    """Put these verbs on the command line."""
    app.command()(trace)
    app.command()(shelf)
    app.command()(catalogue)
    app.add_typer(ledger_app, name="ledger")


def trace(
    name: Annotated[str, typer.Argument(help="A score id, or the id of a seal.")],
    brought: Annotated[
        Path | None,
        typer.Option(
            help="For a live score: a JSON file of the `features` sent and the answer's `salt`.",
            exists=True,
            dir_okay=False,
            readable=True,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Walk back to the release and the catalogue, verify everything on the way, and score again to the bit."""
    home = Home.here()
    values = Brought.parse(brought.read_bytes()) if brought else None
    replayed = ""
    with progress() as at:
        at("walking back, verifying everything", 0, 0)
        chain = walk_back(name, shelf=home.shelf, ledgers=home.ledgers())
        if chain.links[0].kind == "score":
            at("scoring again", 0, 0)
            with suppress(Missing) if values is None else nullcontext():  # a live score is traced without them too
                replayed = replay(chain.links[0].id, home.ledger("service"), home.shelf, values).digest
    if as_json:
        output.result({**chain.as_json(), "replayed": replayed}, as_json=True)
        return
    output.chain(chain)
    if replayed:
        output.console.print(
            f"[green]replayed[/green]: scored again from the sealed features, digest {replayed[:16]}… the same"
        )


def shelf(as_json: AsJson = False) -> None:
    """List every seal on the shelf."""
    seals = [seal for kind in Kind for seal in Home.here().shelf.list(kind)]
    if as_json:
        output.result(
            {"seals": [{"id": s.id, "made_by": str(s.made_by), "expires_on": s.expires_on} for s in seals]},
            as_json=True,
        )
        return
    rows = [
        (s.short, s.terms.get("model") or s.terms.get("purpose", ""), s.made_by, s.made_at, s.expires_on) for s in seals
    ]
    output.table("the shelf", ("seal", "of", "made by", "made at", "expires on"), rows)


def catalogue(
    table: Annotated[str, typer.Argument(help="One table; all of them when left out.")] = "",
    name: Annotated[str, typer.Option("--catalogue")] = "city",
) -> None:
    """Show the catalogue: its tables, or one table's fields with their rules."""
    found = Catalogue.load(name)
    if table:
        one = found.table(table)
        rows = [
            (f.name, f.column, f.title, f.type, f.unit or "", f.role, *(f.rule(purpose) for purpose in PURPOSES))
            for f in one.fields
        ]
        heads = ("field", "column", "title", "type", "unit", "role", *PURPOSES)
        output.table(f"{one.title} {one.name} — {one.source}", heads, rows)
        return
    tables = [(t.name, t.title, t.source, t.openness, t.sharing, len(t.fields)) for t in found.tables.values()]
    output.table(
        f"catalogue {found.name}, version {found.version[:12]}",
        ("table", "title", "source", "openness", "sharing", "fields"),
        tables,
    )


@ledger_app.command("verify")
def verify(as_json: AsJson = False) -> None:
    """Walk every ledger: each digest, each signature, each link, and the signed head."""
    found = Home.here().ledgers()
    if not found:
        raise Broken("audit.no-ledger-here")
    counted = {zone: ledger.verify() for zone, ledger in found.items()}
    output.result(counted, as_json=as_json, text="[green]whole[/green]: every entry of every ledger verifies")


@ledger_app.command("show")
def entries(about: Annotated[str, typer.Option(help="Only entries whose object begins so.")] = "") -> None:
    """Print the entries of all ledgers in the order of time."""
    found = [(e.at, zone, e) for zone, ledger in Home.here().ledgers().items() for e in ledger.entries()]
    rows = [
        (f"{at:%Y-%m-%d %H:%M:%S}", zone, e.by, e.verb, e.object[:28])
        for at, zone, e in sorted(found, key=lambda each: each[0])
        if e.object.startswith(about)
    ]
    output.table("the ledgers", ("at", "ledger", "by", "verb", "object"), rows)
