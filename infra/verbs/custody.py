"""Verbs of the custody zone: keys, city, intake, quarantine, release, subjects."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from credit.actor import Actor, Role
from credit.catalogue import Catalogue
from credit.errors import Malformed
from credit.keys import load_secret
from credit.subjects import PseudonymKey
from infra import output
from infra.home import Home
from infra.progress import progress
from infra.verbs import options
from infra.verbs.options import AsJson, By, CatalogueName, Today
from privacy import city as invented
from privacy.intake import quarantine as held_back
from privacy.intake.intake import intake as bring_in
from privacy.release.policy import Policy
from privacy.release.release import release as make_release
from privacy.settings import CustodySettings
from privacy.vault import Vault

REGISTRY = Actor("registry", Role.CITY)
CUSTODIAN = Actor("custodian", Role.PLATFORM)
PURPOSES = ("research", "scoring", "inquiry")


def add_to(app: typer.Typer) -> None:
    """Put these verbs on the command line."""
    for verb in (keys, city, intake, quarantine, release, subjects):
        app.command()(verb)


def keys(as_json: AsJson = False) -> None:
    """Make the keys of every zone in this home; keys that are there stay."""
    home = Home.here()
    made = home.ensure_keys()
    told = {"home": str(home.root), "ring": {zone: next(iter(keys)) for zone, keys in home.ring.keys.items()}}
    output.result(told, as_json=as_json, text="made" if made else "all keys are there already")


def city(
    subjects: Annotated[int, typer.Option(min=200, help="How many subjects.")] = 20_000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same city, to the byte.")] = 7,
    out: Annotated[Path, typer.Option(help="The folder to write its raw files into.")] = Path("var/lab/city"),
    today: Annotated[str, typer.Option(help="The day it is there.")] = "2026-11-01",
    as_json: AsJson = False,
) -> None:
    """Draw an invented city: raw files as its departments would send them, dirty rows and all."""
    with progress() as told:
        built = invented.build(out, subjects=subjects, seed=seed, today=options.day(today), progress=told)
    summary = {
        "folder": str(out),
        "subjects": subjects,
        "rows": sum(built.rows.values()),
        "dirty": sum(built.dirty.values()),
    }
    output.result(summary, as_json=as_json, text="drawn; every subject and record is invented")


def intake(
    paths: Annotated[list[Path], typer.Argument(help="Files, or a folder of them.")],
    catalogue: CatalogueName = "city",
    today: Today = None,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Check raw files and take them in; rows that fail go to quarantine with the reason."""
    home, settings, vault = custody()
    files = paths[0] if len(paths) == 1 else paths
    with progress() as told:
        found = bring_in(
            files,
            catalogue=catalogue_of(catalogue),
            vault=vault,
            ledger=home.ledger("custody", writing=True),
            by=by or REGISTRY,
            today=today or options.today(),
            progress=told,
            limits=settings.limits,
        )
    reasons: Counter[str] = Counter()
    for count in found.tables.values():
        reasons.update(count.reasons)
    if as_json:
        counted = {"rows": found.rows_in, "kept": found.kept, "duplicates": found.duplicates}
        output.result({**counted, "quarantined": found.quarantined, "reasons": dict(reasons)}, as_json=True)
        return
    output.console.print(found.message)
    rows = [(n, t.rows_in, t.kept, t.duplicates, t.quarantined) for n, t in found.tables.items()]
    output.table("by table", ("table", "rows", "kept", "held already", "quarantined"), rows)
    output.table("why quarantined", ("rows", "reason"), [(count, reason) for reason, count in reasons.most_common()])


def quarantine(as_json: AsJson = False) -> None:
    """What waits in quarantine, counted by table and reason (the rows themselves stay in the vault)."""
    _, _, vault = custody()
    held = held_back.read(vault)
    counted = Counter(zip(held.column("table").to_pylist(), held.column("reason").to_pylist(), strict=True))
    if as_json:
        output.result({"rows": len(held), "reasons": {f"{t}: {r}": n for (t, r), n in counted.items()}}, as_json=True)
    else:
        rows = [(count, table, reason) for (table, reason), count in counted.most_common()]
        output.table(f"{len(held)} rows in quarantine", ("rows", "table", "reason"), rows)


def release(
    purpose: Annotated[str, typer.Argument(help="research, scoring or inquiry.")],
    catalogue: CatalogueName = "city",
    today: Today = None,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Make a release: desensitised tables for one purpose, through the release gate, onto the shelf."""
    if purpose not in PURPOSES:
        raise Malformed("custody.no-purpose", purpose=purpose, purposes=" or ".join(PURPOSES))
    home, settings, vault = custody()
    found = catalogue_of(catalogue)
    with progress() as told:
        seal = make_release(
            purpose=purpose,
            catalogue=found,
            vault=vault,
            policy=Policy.load(),
            shelf=home.shelf,
            key=home.key("custody"),
            pseudonym_key=PseudonymKey(purpose, load_secret(settings.keys / f"pseudonym-{purpose}.key")),
            ledger=home.ledger("custody", writing=True),
            by=by or CUSTODIAN,
            as_of=today or options.today(),
            invented=catalogue == "city",
            progress=told,
            limits=settings.limits,
        )
    rows = sum(table["rows"] for table in seal.terms["tables"].values())
    told_all = {"release": seal.id, "purpose": purpose, "rows": rows, "expires_on": seal.expires_on}
    output.result({**told_all, "catalogue": found.version}, as_json=as_json, text="the release gate opened")


def subjects(
    table: Annotated[str, typer.Argument(help="A raw table.")],
    limit: Annotated[int, typer.Option(help="How many.")] = 3,
    catalogue: CatalogueName = "city",
    as_json: AsJson = False,
) -> None:
    """Codes of some subjects of a raw table; custody only (real tables without codes have surrogates)."""
    _, _, vault = custody()
    held = vault.read(table).column(catalogue_of(catalogue).table(table).subject.column)
    codes = sorted(set(held.to_pylist()))
    step = max(1, len(codes) // max(1, limit))
    output.result({"codes": codes[::step][:limit]}, as_json=as_json)


def custody() -> tuple[Home, CustodySettings, Vault]:
    """This home, the settings of its custody, and the vault."""
    home = Home.here()
    settings = home.settings(CustodySettings, "custody")
    return home, settings, Vault(settings.raw, load_secret(settings.keys / "raw.key"))


def catalogue_of(name: str) -> Catalogue:
    """A catalogue by its name or its folder."""
    folder = Path(name)
    return Catalogue.load(folder.name, folder) if folder.is_dir() and "/" in name else Catalogue.load(name)
