"""Practice tables (练习数据): every table of the catalogue, invented, in the form in which research meets records.

They are drawn from the catalogue's constraints, a number of subjects and a seed, and never from a record: neither the
vault nor a secret of custody is read. They pass the same steps as a release (intake, column rules, pseudonyms), so
that names, types and missing values are those of a release, and the same SQL runs on both. They say nothing about a
city: their terms have ``invented`` and ``practice``.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from credit.actor import Actor
from credit.catalogue import Catalogue
from credit.errors import Malformed, Missing
from credit.keys import KeyRing, SigningKey, create_secret, load_secret
from credit.ledger import Ledger
from credit.seal import Kind, Seal
from credit.shelf import Shelf
from credit.subjects import PseudonymKey
from privacy import catalogue_roles
from privacy.city.building import build
from privacy.duckdb_engine import Limits, engine
from privacy.intake.intake import intake
from privacy.release import exclusion_rules
from privacy.release.making.builder import ReleaseBuilder
from privacy.release.making.journal import ReleaseJournal
from privacy.release.policy import Policy
from privacy.release.release import tables_to_release
from privacy.storage.change import WHOLE
from privacy.vault import Vault

PURPOSE = "research"  # whose column rules they follow
LEAST, MOST = 100, 1_000_000  # subjects
SEEDS = 1 << 40  # added to a seed, so that practice tables are never the records of an invented city


def practice(
    *,
    catalogue: Catalogue,
    policy: Policy,
    shelf: Shelf,
    key: SigningKey,
    ledger: Ledger,
    by: Actor,
    as_of: date,
    subjects: object,
    seed: object,
    progress: catalogue_roles.Progress = catalogue_roles.no_progress,
    limits: Limits | None = None,
) -> Seal:
    """Make practice tables of ``subjects`` invented subjects, with records until a day, and seal them.

    The same catalogue, policy, day, number and seed give the same tables and so the same id. Raises :class:`Malformed`
    for a number of subjects that is no whole one in 100 … 1,000,000, a seed that is none in 0 … 2⁴⁰ − 1, or a pattern
    that cannot be filled, and :class:`Missing` for a catalogue whose subjects have no code of their own.
    """
    subjects, seed = _whole(subjects, LEAST, MOST), _whole(seed, 0, SEEDS - 1)
    purpose = policy.of(PURPOSE)
    with TemporaryDirectory(prefix="practice-") as place, shelf.staging() as folder, engine(limits) as run:
        vault = _invented_vault(Path(place), catalogue, as_of, subjects, seed, progress, limits)
        if not (tables := tables_to_release(catalogue, vault, PURPOSE)):
            raise Missing("practice.no-table", catalogue=catalogue.name)
        exclusion_rules.register_repairs(run, catalogue, vault, as_of=as_of)
        journal = ReleaseJournal(folder, PURPOSE, vault.keys.key_or_new("_release", WHOLE))
        builder = ReleaseBuilder(run, catalogue, vault, purpose, journal, as_of)
        pseudonyms = PseudonymKey(
            PURPOSE, f"practice {seed}".ljust(32).encode()
        )  # no secret: no subject is behind them
        builder.write(tables, policy, pseudonyms, progress)
        terms: dict[str, Any] = {
            "purpose": PURPOSE,
            "as_of": as_of.isoformat(),
            "catalogue": {"name": catalogue.name, "version": catalogue.version},
            "buckets": builder.buckets,
            "invented": True,
            "practice": {"subjects": subjects, "seed": seed},
            "tables": builder.table_terms,
        }
        expires_on = as_of + timedelta(days=purpose.expires_after_days)
        seal = shelf.put(journal.files, Kind.PRACTICE, parents=(), terms=terms, expires_on=expires_on, by=by, key=key)
    details = {name: terms[name] for name in ("as_of", "catalogue", "practice")}
    ledger.append("practice.made", seal.id, by=by, details=details)
    return seal


def _whole(number: object, least: int, most: int) -> int:
    if type(number) is not int or not least <= number <= most:
        raise Malformed("practice.wrong-size", least=LEAST, most=MOST, seeds=SEEDS - 1)
    return number


def _invented_vault(
    place: Path,
    catalogue: Catalogue,
    as_of: date,
    subjects: int,
    seed: int,
    progress: catalogue_roles.Progress,
    limits: Limits | None,
) -> Vault:
    """A vault of its own with invented rows alone; its key and its ledger are gone with its folder."""
    raw = place / "raw"
    build(raw, subjects=subjects, seed=SEEDS + seed, today=as_of, progress=progress, dirt=0, catalogue=catalogue)
    key = SigningKey.create(place, "custody")
    create_secret(place / "raw.key")
    vault = Vault(place / "vault", load_secret(place / "raw.key"))
    intake(
        raw,
        catalogue=catalogue,
        vault=vault,
        ledger=Ledger(place / "ledger.jsonl", key, KeyRing.of(key), "custody"),
        by=Actor.parse("service:practice"),
        today=as_of,
        progress=progress,
        limits=limits,
    )
    return vault
