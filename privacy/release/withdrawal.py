"""Withdrawal (撤下): a release without what was repaired since, made in seconds: its other bucket files are taken over.

It only ever takes away. A row of a subject with a repair stays when custody would release that very row today, as of
the release's own day; every other row goes, and nothing new comes in. The files come out as a release made from the
start would have them, so what is made of them does too. Subjects are withheld before their rows are gone, so whatever
stops in between leaves nothing answered that rests on a repaired record.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from credit.actor import Actor, Role
from credit.canonical import digest
from credit.catalogue import Catalogue, Table
from credit.errors import Broken, Refused
from credit.keys import SigningKey
from credit.ledger import Ledger
from credit.seal import Kind, Seal
from credit.shelf import OpenedSeal, Shelf
from credit.subjects import PseudonymKey
from credit.suppression import Notice, suppress
from privacy import catalogue_roles
from privacy.disclosure import release_gate
from privacy.duckdb_engine import Engine, Limits, engine, quoted, text
from privacy.release import exclusion_rules, pseudonyms, release_format
from privacy.release.disclosure_scan import disclosed
from privacy.release.policy import Policy
from privacy.release.release import GATE
from privacy.vault import Vault


def withhold_subjects(
    codes: Iterable[str],
    *,
    vault: Vault,
    policy: Policy,
    shelf: Shelf,
    key: SigningKey,
    pseudonym_key: PseudonymKey,
    ledger: Ledger,
    by: Actor,
    today: date,
) -> Notice:
    """Withhold subjects until what rests on their repaired records is out; it takes no longer than a signature.

    Raises :class:`Refused` unless ``by`` is of the city's departments or of the platform.
    """
    by.require_role(Role.CITY, Role.PLATFORM, act="act.withhold-subject")
    keys = [pseudonym_key.hex_of(code) for code in codes]
    with vault.alone():
        return _named(keys, policy, shelf, key, pseudonym_key.purpose, ledger, by, today)


def withdraw(
    *,
    base: OpenedSeal,
    catalogue: Catalogue,
    vault: Vault,
    policy: Policy,
    shelf: Shelf,
    key: SigningKey,
    pseudonym_key: PseudonymKey,
    ledger: Ledger,
    by: Actor,
    today: date,
    progress: catalogue_roles.Progress = catalogue_roles.quiet,
    limits: Limits | None = None,
) -> Seal:
    """The release ``base`` without what has been repaired by ``today``; its own seal when there is nothing to withdraw.

    Raises :class:`Refused` for a release that is anonymous as a whole only, or of another catalogue,
    :class:`~credit.errors.Lapsed` when it has ended, and :class:`Broken` when one of its files was changed.
    """
    seal, purpose = base.seal, str(base.seal.terms["purpose"])
    seal.require_not_expired(today)
    told = policy.of(purpose)
    if told.k > 1 or told.small_cell > 1:
        why = "its rows are coarse for each other's sake"
        raise Refused("withdrawal.nothing-withdrawn-from-release", why=why, purpose=purpose)
    if seal.terms["catalogue"]["version"] != catalogue.version or pseudonym_key.purpose != purpose:
        why = "the catalogue, or the purpose of the key, is another by now"
        raise Refused("withdrawal.nothing-withdrawn-from-release-make-new-release", why=why)
    with vault.alone(), shelf.staging() as folder, engine(limits) as run:
        work = _Withdrawal(run, base, catalogue, vault, pseudonym_key, folder)
        exclusion_rules.lend_repairs(run, catalogue, vault, as_of=today)
        work.compare(progress)
        notice, through = Notice.read(shelf, purpose), int(seal.terms.get("notice", 0))
        if new := sorted(who for who in work.subjects if not notice.suppresses(who, through)):
            notice = _named(new, policy, shelf, key, purpose, ledger, by, today)
        if not work.gone and notice.through(today) <= through:
            return seal
        work.write()
        verdict = release_gate(told.thresholds).judge(
            disclosed(run, folder, catalogue, purpose), requested_by=by, reviewer=GATE
        )
        verdict.require()
        taken = work.take_over()
        terms = _terms(seal, work.gone, notice.through(today), today) | {"verdict": verdict.as_json()}
        progress("sealing the release", 0, 0)
        made = shelf.put(
            folder, Kind.RELEASE, parents=(terms["amends"],), terms=terms, expires_on=seal.expires_on, by=by, key=key,
            reused=taken,
        )  # fmt: skip
    details = {"purpose": purpose, "as_of": seal.terms["as_of"], "amends": seal.id, "withdrawn": work.gone}
    ledger.append("release.amended", made.id, by=by, details=details | {"notice": terms["notice"]})
    return made


def _named(
    keys: list[str], policy: Policy, shelf: Shelf, key: SigningKey, purpose: str, ledger: Ledger, by: Actor, today: date
) -> Notice:
    """Name subjects in a notice. Releases of before the oldest day that is kept have all ended."""
    oldest = today - timedelta(days=policy.of(purpose).expires_after_days)
    notice = suppress(shelf, purpose, keys, today=today, forget_before=oldest, key=key)
    details = {"purpose": purpose, "number": notice.number, "subjects": len(keys)}
    ledger.append("subjects.withheld", f"notice-{purpose}-{notice.number}", by=by, details=details)
    return notice


def _terms(seal: Seal, gone: Mapping[str, int], notice: int, today: date) -> dict[str, Any]:
    """The terms of the release with fewer rows; it amends the one that was made in full."""
    terms: dict[str, Any] = {**seal.terms, "notice": notice, "repaired_by": today.isoformat()}
    terms["amends"] = seal.terms.get("amends", seal.id)
    terms["tables"], terms["left_out"] = dict(seal.terms["tables"]), dict(seal.terms["left_out"])
    for name, count in gone.items():
        terms["tables"][name] = terms["tables"][name] | {"rows": terms["tables"][name]["rows"] - count}
        left = dict(terms["left_out"].get(name, {}))
        terms["left_out"][name] = left | {"withdrawn": left.get("withdrawn", 0) + count}
    return terms


@dataclass(slots=True)
class _Withdrawal:
    """One release against what custody would release of it today."""

    run: Engine
    base: OpenedSeal
    catalogue: Catalogue
    vault: Vault
    key: PseudonymKey
    folder: Path
    gone: dict[str, int] = field(default_factory=dict)  # rows, by table
    subjects: set[str] = field(default_factory=set)
    changed: dict[str, list[int]] = field(default_factory=dict)  # buckets, by table

    @property
    def buckets(self) -> int:
        """How many the release has."""
        return int(self.base.seal.terms["buckets"])

    def compare(self, progress: catalogue_roles.Progress) -> None:
        """Make ``gone_<table>``: rows of the release that may not be in it any more."""
        held = set(self.vault.names())
        tables = [t for t in self.catalogue.tables.values() if t.repair_document and t.name in held]
        tables = [t for t in tables if t.name in self.base.seal.terms["tables"]]
        for number, table in enumerate(tables):
            progress(f"looking for what was repaired in {table.name}", number, len(tables))
            self._compare(table)

    def _compare(self, table: Table) -> None:
        run, purpose, gone = self.run, self.key.purpose, quoted(f"gone_{table.name}")
        code = quoted(table.subject.column)
        for name in (release_format.file_of(table.name, bucket) for bucket in range(self.buckets)):
            if digest(self.base.path / name) != self.base.seal.files[name]:
                raise Broken("withdrawal.release-changed", table_name=table.name)
        if not run.one(f"SELECT count(*) FROM repaired WHERE held = {text(table.name)}"):
            return  # nobody's record of it was repaired: its rows need not be opened
        run.lend("given", self.vault.read(table.name))
        run.do(
            f"CREATE OR REPLACE TEMP TABLE raw AS SELECT * FROM given WHERE {code} IN "
            f"(SELECT subject FROM repaired WHERE held = {text(table.name)})"
        )
        run.take_back("given")
        run.do("DROP TABLE IF EXISTS pseudonym")
        pseudonyms.assign(run, [("raw", column) for column in release_format.coded(table, purpose)], self.key)
        why = exclusion_rules.why_not(table, as_of=date.fromisoformat(self.base.seal.terms["as_of"]), purpose=purpose)
        run.do(
            f"CREATE OR REPLACE TEMP TABLE due AS {release_format.rows(table, purpose, buckets=self.buckets)} "
            f"WHERE ({why}) IS NULL"
        )
        files = text(str(self.base.path / table.name / "*.parquet"))
        mine = f"SELECT key FROM pseudonym JOIN raw t ON code = t.{code}"
        run.do(
            f"CREATE OR REPLACE TEMP TABLE {gone} AS SELECT * FROM read_parquet({files}) WHERE subject IN ({mine}) "
            "EXCEPT ALL SELECT * EXCLUDE (_bucket) FROM due"
        )
        if count := int(run.one(f"SELECT count(*) FROM {gone}")):
            keys = [row[0] for row in run.rows(f"SELECT DISTINCT subject FROM {gone}")]
            self.gone[table.name] = count
            self.subjects |= set(keys)
            self.changed[table.name] = sorted({int(who[:2], 16) * self.buckets // 256 for who in keys})

    def write(self) -> None:
        """Write the buckets that have fewer rows now."""
        for name, buckets in self.changed.items():
            for bucket in buckets:
                path = self.base.path / release_format.file_of(name, bucket)
                rest = (
                    f"SELECT * FROM read_parquet({text(str(path))}) EXCEPT ALL SELECT * FROM {quoted(f'gone_{name}')}"
                )
                release_format.write(
                    self.run, f"SELECT * FROM ({rest})", self.folder / release_format.file_of(name, bucket)
                )

    def take_over(self) -> dict[str, str]:
        """Put every other file beside them, as it is: another name of the same bytes. The digests they must have."""
        mine = {release_format.file_of(name, bucket) for name, buckets in self.changed.items() for bucket in buckets}
        taken = {name: wanted for name, wanted in self.base.seal.files.items() if name not in mine}
        for name in taken:
            target = self.folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(self.base.path / name, target)
            except OSError:  # a shelf on which files have one name
                shutil.copyfile(self.base.path / name, target)
        return taken
