"""Withdrawal (撤下): the same release without records that were repaired since; unchanged bucket files are reused.

A withdrawal only removes rows. A row of a subject with a repair stays when custody would release the same row today, as
of the release's own day; the subject's other rows are removed, and no row is added. The files equal those of a release
made from the start, and so does everything made from them. Subjects are suppressed before their rows are removed: when
the process stops in between, no answer is based on a repaired record.
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
from privacy.release.disclosure_scan import scan_release
from privacy.release.policy import Policy
from privacy.release.release import GATE
from privacy.vault import Vault


def suppress_subjects(
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
    """Suppress subjects until all data made from their repaired records are replaced; it only writes a signed notice.

    Raises :class:`Refused` unless ``by`` is an actor of the city or of the platform.
    """
    by.require_role(Role.CITY, Role.PLATFORM, act="act.withhold-subject")
    keys = [pseudonym_key.hex_of(code) for code in codes]
    with vault.exclusive():
        return _suppress(keys, policy, shelf, key, pseudonym_key.purpose, ledger, by, today)


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
    progress: catalogue_roles.Progress = catalogue_roles.no_progress,
    limits: Limits | None = None,
) -> Seal:
    """The release ``base`` without the records repaired by ``today``; its own seal when there is nothing to withdraw.

    Raises :class:`Refused` for a k-anonymous release (removing rows would break its classes) or one of another
    catalogue, :class:`~credit.errors.Lapsed` when it has expired, and :class:`Broken` when a file was changed.
    """
    seal, purpose = base.seal, str(base.seal.terms["purpose"])
    seal.require_not_expired(today)
    thresholds = policy.of(purpose)
    if thresholds.k > 1 or thresholds.small_cell > 1:
        raise Refused("withdrawal.anonymous-as-a-whole", purpose=purpose)
    if seal.terms["catalogue"]["version"] != catalogue.version or pseudonym_key.purpose != purpose:
        raise Refused("withdrawal.another-catalogue-or-key")
    with vault.exclusive(), shelf.staging() as folder, engine(limits) as run:
        work = _Withdrawal(run, base, catalogue, vault, pseudonym_key, folder)
        exclusion_rules.register_repairs(run, catalogue, vault, as_of=today)
        work.compare(progress)
        notice, through = Notice.read(shelf, purpose), int(seal.terms.get("notice", 0))
        if new := sorted(key_hex for key_hex in work.subjects if not notice.suppresses(key_hex, through)):
            notice = _suppress(new, policy, shelf, key, purpose, ledger, by, today)
        if not work.removed and notice.covered_number(today) <= through:
            return seal
        work.write()
        verdict = release_gate(thresholds.thresholds).judge(
            scan_release(run, folder, catalogue, purpose), requested_by=by, reviewer=GATE
        )
        verdict.require()
        reused = work.reuse_files()
        terms = _terms(seal, work.removed, notice.covered_number(today), today) | {"verdict": verdict.as_json()}
        progress("sealing the release", 0, 0)
        made = shelf.put(
            folder, Kind.RELEASE, parents=(terms["amends"],), terms=terms, expires_on=seal.expires_on, by=by, key=key,
            reused=reused,
        )  # fmt: skip
    details = {"purpose": purpose, "as_of": seal.terms["as_of"], "amends": seal.id, "withdrawn": work.removed}
    ledger.append("release.amended", made.id, by=by, details=details | {"notice": terms["notice"]})
    return made


def _suppress(
    keys: list[str], policy: Policy, shelf: Shelf, key: SigningKey, purpose: str, ledger: Ledger, by: Actor, today: date
) -> Notice:
    """Suppress subjects in a new notice. Notices from before the oldest release that can be in use are dropped."""
    oldest = today - timedelta(days=policy.of(purpose).expires_after_days)
    notice = suppress(shelf, purpose, keys, today=today, forget_before=oldest, key=key)
    details = {"purpose": purpose, "number": notice.number, "subjects": len(keys)}
    ledger.append("subjects.withheld", f"notice-{purpose}-{notice.number}", by=by, details=details)
    return notice


def _terms(seal: Seal, removed: Mapping[str, int], notice: int, today: date) -> dict[str, Any]:
    """The terms of the release with fewer rows; ``amends`` is the release that was made in full."""
    terms: dict[str, Any] = {**seal.terms, "notice": notice, "repaired_by": today.isoformat()}
    terms["amends"] = seal.terms.get("amends", seal.id)
    terms["tables"], terms["left_out"] = dict(seal.terms["tables"]), dict(seal.terms["left_out"])
    for name, count in removed.items():
        terms["tables"][name] = terms["tables"][name] | {"rows": terms["tables"][name]["rows"] - count}
        reasons = dict(terms["left_out"].get(name, {}))
        terms["left_out"][name] = reasons | {"withdrawn": reasons.get("withdrawn", 0) + count}
    return terms


@dataclass(slots=True)
class _Withdrawal:
    """Compares one release with the rows that custody would release today."""

    run: Engine
    base: OpenedSeal
    catalogue: Catalogue
    vault: Vault
    key: PseudonymKey
    folder: Path
    removed: dict[str, int] = field(default_factory=dict)  # rows, by table
    subjects: set[str] = field(default_factory=set)
    changed: dict[str, list[int]] = field(default_factory=dict)  # numbers of changed buckets, by table

    @property
    def buckets(self) -> int:
        """The number of buckets of the release."""
        return int(self.base.seal.terms["buckets"])

    def compare(self, progress: catalogue_roles.Progress) -> None:
        """Create the relations ``removed_<table>``: the rows that may no longer be in the release.

        Raises :class:`Broken` when a file of the release was changed.
        """
        stored = set(self.vault.names())
        tables = [t for t in self.catalogue.tables.values() if t.repair_document and t.name in stored]
        tables = [t for t in tables if t.name in self.base.seal.terms["tables"]]
        for number, table in enumerate(tables):
            progress(f"looking for what was repaired in {table.name}", number, len(tables))
            self._compare(table)

    def _compare(self, table: Table) -> None:
        run, purpose, removed = self.run, self.key.purpose, quoted(f"removed_{table.name}")
        code = quoted(table.subject.column)
        for name in (release_format.bucket_file(table.name, bucket) for bucket in range(self.buckets)):
            if digest(self.base.path / name) != self.base.seal.files[name]:
                raise Broken("withdrawal.release-changed", table_name=table.name)
        if not run.one(f"SELECT count(*) FROM repaired WHERE held = {text(table.name)}"):
            return  # no record of this table was repaired: its rows need not be read
        run.register("records", self.vault.batches(table.name))
        run.execute(
            f"CREATE OR REPLACE TEMP TABLE raw AS SELECT * FROM records WHERE {code} IN "
            f"(SELECT subject FROM repaired WHERE held = {text(table.name)})"
        )
        run.unregister("records")
        run.execute("DROP TABLE IF EXISTS pseudonym")
        pseudonyms.assign(run, release_format.pseudonymised_codes(table, purpose, "raw"), self.key)
        run.execute("CREATE TEMP TABLE IF NOT EXISTS suppressed_codes (code VARCHAR)")  # only of other parties
        why = exclusion_rules.exclusion_reason(
            table, as_of=date.fromisoformat(self.base.seal.terms["as_of"]), purpose=purpose
        )
        run.execute(
            f"CREATE OR REPLACE TEMP TABLE due AS {release_format.rows_sql(table, purpose, buckets=self.buckets)} "
            f"WHERE ({why}) IS NULL"
        )
        files = text(str(self.base.path / table.name / "*.parquet"))
        keys_sql = f"SELECT key FROM pseudonym JOIN raw t ON code = t.{code} WHERE party = ''"
        run.execute(
            f"CREATE OR REPLACE TEMP TABLE {removed} AS SELECT * FROM read_parquet({files}) "
            f"WHERE subject IN ({keys_sql}) EXCEPT ALL SELECT * EXCLUDE (_bucket) FROM due"
        )
        if count := int(run.one(f"SELECT count(*) FROM {removed}")):
            keys = [row[0] for row in run.rows(f"SELECT DISTINCT subject FROM {removed}")]
            self.removed[table.name] = count
            self.subjects |= set(keys)
            self.changed[table.name] = sorted({int(key[:2], 16) * self.buckets // 256 for key in keys})

    def write(self) -> None:
        """Write the changed buckets without the removed rows."""
        for name, buckets in self.changed.items():
            for bucket in buckets:
                path = self.base.path / release_format.bucket_file(name, bucket)
                removed = quoted(f"removed_{name}")
                rest = f"SELECT * FROM read_parquet({text(str(path))}) EXCEPT ALL SELECT * FROM {removed}"
                release_format.write_bucket(
                    self.run, f"SELECT * FROM ({rest})", self.folder / release_format.bucket_file(name, bucket)
                )

    def reuse_files(self) -> dict[str, str]:
        """Link every unchanged file into the new folder; returns their digests by name."""
        written = {
            release_format.bucket_file(name, bucket) for name, buckets in self.changed.items() for bucket in buckets
        }
        reused = {name: wanted for name, wanted in self.base.seal.files.items() if name not in written}
        for name in reused:
            target = self.folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(self.base.path / name, target)
            except OSError:  # a file system without hard links
                shutil.copyfile(self.base.path / name, target)
        return reused
