"""Verbs of the custody zone: keys, city, intake, quarantine, release, subjects."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from credit.actor import Role
from credit.errors import Malformed
from infra import output
from infra.home import Home
from infra.language.texts import field, localized
from infra.progress import progress
from infra.verbs import options
from infra.verbs.actors import CUSTODIAN, REGISTRY, acting
from infra.verbs.options import AsJson, By, CatalogueName, Today

if TYPE_CHECKING:
    from credit.catalogue import Catalogue
    from privacy.settings import CustodySettings
    from privacy.vault import Vault

PURPOSES = ("research", "scoring", "inquiry")


def add_to(app: typer.Typer) -> None:
    """Add these verbs to the command line."""
    for verb in (keys, city, intake, quarantine, release, subjects):
        app.command()(verb)


def keys(as_json: AsJson = False) -> None:
    """Make the keys of every zone in this home; existing keys stay."""
    home = Home.here()
    made = home.ensure_keys()
    ring = {zone: next(iter(keys)) for zone, keys in home.ring.keys.items()}
    data: dict[str, Any] = {"home": str(home.root), "ring": ring}
    words = (
        data
        if as_json
        else {"home": str(home.root)}
        | {localized("cli.keys.key", zone=field(zone)): name for zone, name in ring.items()}
    )
    output.result(words, as_json=as_json, text=localized("cli.made" if made else "cli.keys.exist"))


def city(
    subjects: Annotated[int, typer.Option(min=200, help="How many subjects.")] = 20_000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same city, to the byte.")] = 7,
    out: Annotated[
        Path | None, typer.Option(help="The folder to write its raw files into; `city` in the home by default.")
    ] = None,
    today: Annotated[str, typer.Option(help="The current day of the city.")] = "2026-11-01",
    as_json: AsJson = False,
) -> None:
    """Draw an invented city: raw files as its departments would send them.

    Some of the rows are faulty on purpose, as in real files.
    """
    from privacy import city as invented

    folder = out or Home.here().root / "city"
    with progress() as report:
        built = invented.build(folder, subjects=subjects, seed=seed, today=options.day(today), progress=report)
    summary = {
        "folder": str(folder),
        "subjects": subjects,
        "rows": sum(built.rows.values()),
        "dirty": sum(built.dirty.values()),
    }
    output.result(summary, as_json=as_json, text=localized("cli.city.drawn"))


def intake(
    paths: Annotated[list[Path], typer.Argument(help="Files, or a folder of them.")],
    catalogue: CatalogueName = "city",
    today: Today = None,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Check raw files and store their rows; rows that fail go to quarantine.

    The reason is stored beside each row in quarantine.
    """
    actor = acting(by, REGISTRY, Role.CITY, Role.PLATFORM, act="act.bring-records-in")

    from privacy.intake.intake import intake as bring_in

    home, settings, vault = custody()
    files = paths[0] if len(paths) == 1 else paths
    with progress() as report:
        summary = bring_in(
            files,
            catalogue=catalogue_of(catalogue),
            vault=vault,
            ledger=home.ledger("custody", writing=True),
            by=actor,
            today=today or options.today(),
            progress=report,
            limits=settings.limits,
        )
    reasons: Counter[str] = Counter()
    for count in summary.tables.values():
        reasons.update(count.reasons)
    if as_json:
        counted = {"rows": summary.rows_in, "kept": summary.kept, "duplicates": summary.duplicates}
        output.document({**counted, "quarantined": summary.quarantined, "reasons": dict(reasons)})
        return
    numbers = {"rows": summary.rows_in, "kept": summary.kept, "duplicates": summary.duplicates}
    numbers |= {"quarantined": summary.quarantined, "files": len(summary.files)}
    texts = {name: f"{number:,}" for name, number in numbers.items()}
    output.message("cli.intake.done" if summary.changed else "cli.intake.nothing-new", **texts)
    rows = [(n, t.rows_in, t.kept, t.duplicates, t.quarantined) for n, t in summary.tables.items()]
    output.table(localized("cli.intake.by-table"), ("table", "rows", "kept", "duplicates", "quarantined"), rows)
    if reasons:
        ordered = [(count, reason) for reason, count in reasons.most_common()]
        output.table(localized("cli.intake.why-quarantined"), ("rows", "reason"), ordered)


def quarantine(as_json: AsJson = False) -> None:
    """Count the rows in quarantine by table and reason.

    The rows themselves stay in the vault.
    """
    from privacy.intake import quarantine as store

    _, _, vault = custody()
    with progress() as report:
        report("reading the quarantine", 0, 0)
        rows = store.read(vault)
    counted = Counter(zip(rows.column("table").to_pylist(), rows.column("reason").to_pylist(), strict=True))
    if as_json:
        output.document({"rows": len(rows), "reasons": {f"{t}: {r}": n for (t, r), n in counted.items()}})
    else:
        ordered = [(count, table, reason) for (table, reason), count in counted.most_common()]
        output.table(localized("cli.quarantine.title", count=len(rows)), ("rows", "table", "reason"), ordered)


def release(
    purpose: Annotated[str, typer.Argument(help="research, scoring or inquiry.")],
    catalogue: CatalogueName = "city",
    today: Today = None,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Make a release: desensitised tables for one purpose, sealed on the shelf.

    The release gate judges the tables before they are sealed.
    """
    actor = acting(by, CUSTODIAN, Role.PLATFORM, Role.CITY, act="act.make-release")
    if purpose not in PURPOSES:
        raise Malformed("custody.no-purpose", purpose=purpose, purposes=" or ".join(PURPOSES))

    from credit.keys import load_secret
    from credit.subjects import PseudonymKey
    from privacy.release.policy import Policy
    from privacy.release.release import release as make_release

    home, settings, vault = custody()
    known = catalogue_of(catalogue)
    with progress() as report:
        seal = make_release(
            purpose=purpose,
            catalogue=known,
            vault=vault,
            policy=Policy.load(),
            shelf=home.shelf,
            key=home.key("custody"),
            pseudonym_key=PseudonymKey(purpose, load_secret(settings.keys / f"pseudonym-{purpose}.key")),
            ledger=home.ledger("custody", writing=True),
            by=actor,
            as_of=today or options.today(),
            invented=catalogue == "city",
            progress=report,
            limits=settings.limits,
        )
    rows = sum(table["rows"] for table in seal.terms["tables"].values())
    data = {"release": seal.id, "purpose": purpose, "rows": rows, "expires_on": seal.expires_on}
    output.result({**data, "catalogue": known.version}, as_json=as_json, text=localized("cli.release.made"))


def subjects(
    table: Annotated[str, typer.Argument(help="A raw table.")],
    limit: Annotated[int, typer.Option(help="How many.")] = 3,
    catalogue: CatalogueName = "city",
    as_json: AsJson = False,
) -> None:
    """Print the codes of some subjects of a raw table.

    Only custody can; subjects of real tables without codes have surrogate codes.
    """
    _, _, vault = custody()
    with progress() as report:
        report(f"reading {table}", 0, 0)
        column = vault.read(table).column(catalogue_of(catalogue).table(table).subject.column)
        codes = sorted(set(column.to_pylist()))
    step = max(1, len(codes) // max(1, limit))
    output.result({"codes": codes[::step][:limit]}, as_json=as_json)


def custody() -> tuple[Home, CustodySettings, Vault]:
    """This home, the settings of its custody, and the vault."""
    from credit.keys import load_secret
    from privacy.settings import CustodySettings
    from privacy.vault import Vault

    home = Home.here()
    settings = home.settings(CustodySettings, "custody")
    return home, settings, Vault(settings.raw, load_secret(settings.keys / "raw.key"))


def catalogue_of(name: str) -> Catalogue:
    """A catalogue by its name or its folder."""
    from credit.catalogue import Catalogue

    folder = Path(name)
    return Catalogue.load(folder.name, folder) if folder.is_dir() and "/" in name else Catalogue.load(name)
