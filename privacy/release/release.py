"""Custody's one door: ``release`` makes a sealed, desensitised copy of what may leave for a purpose on a day.

Repaired and disputed records stay behind, and for scoring ended ones; subjects become pseudonyms under the purpose's
key; every value goes through its rule; the register is made k-anonymous; and the gate reads the very files before
they are sealed. The same records, keys, catalogue, policy and day give the same bytes and so the same id.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from credit.actor import Actor, Role
from credit.catalogue import Catalogue, Table
from credit.errors import Malformed, Missing
from credit.fields import INQUIRY
from credit.keys import SigningKey
from credit.ledger import Ledger
from credit.seal import Kind, Seal
from credit.shelf import Shelf
from credit.subjects import PseudonymKey
from credit.suppression import Notice
from privacy import catalogue_roles
from privacy.disclosure import release_gate
from privacy.duckdb_engine import Engine, Limits, engine, quoted
from privacy.release import column_rules, exclusion_rules, pseudonyms, release_format
from privacy.release.disclosure_scan import disclosed, quasi_columns
from privacy.release.generalise import mask_rare, recode
from privacy.release.inquiry_visibility import shown
from privacy.release.policy import Policy, PurposePolicy
from privacy.vault import Vault

GATE = Actor("release-gate", Role.SERVICE)


def release(
    *,
    purpose: str,
    catalogue: Catalogue,
    vault: Vault,
    policy: Policy,
    shelf: Shelf,
    key: SigningKey,
    pseudonym_key: PseudonymKey,
    ledger: Ledger,
    by: Actor,
    as_of: date,
    invented: bool = False,
    progress: catalogue_roles.Progress = catalogue_roles.quiet,
    limits: Limits | None = None,
) -> Seal:
    """Release what may leave for ``purpose`` as of a day. ``invented`` says that the records are of no real city.

    Raises :class:`Refused` with the findings when the gate stays shut, :class:`Missing` when nothing is held, and
    :class:`Malformed` for a purpose, rule or key that does not fit. Nothing half-made is left behind.
    """
    if pseudonym_key.purpose != purpose:
        raise Malformed("release.pseudonym-key-another-purpose", purpose=purpose)
    told = policy.of(purpose)
    tables = _tables(catalogue, vault, purpose)
    if not tables:
        raise Missing("release.nothing-to-release")
    with vault.alone(), shelf.staging() as folder, engine(limits) as run:
        exclusion_rules.lend_repairs(run, catalogue, vault, as_of=as_of)
        notice = Notice.read(shelf, purpose).through(as_of)  # custody is alone: what was named so far is held by now
        total = len(tables) + 1
        progress("pseudonyms", 0, total)
        maker = _Maker(run, catalogue, vault, told, folder, as_of)
        maker.prepare(tables, policy, pseudonym_key)
        for number, table in enumerate(tables):
            progress(f"releasing {table.name}", number + 1, total)
            maker.table(table)
        verdict = release_gate(told.thresholds).judge(
            disclosed(run, folder, catalogue, purpose), requested_by=by, reviewer=GATE
        )
        verdict.require()
        terms = {
            "purpose": purpose,
            "as_of": as_of.isoformat(),
            "catalogue": {"name": catalogue.name, "version": catalogue.version},
            "buckets": maker.buckets,
            "k": told.k,
            "invented": invented,
            "tables": maker.told,
            "left_out": maker.left_out,
            "generalised": maker.generalised,
            "verdict": verdict.as_json(),
            **({"notice": notice} if notice else {}),
        }
        seal = shelf.put(
            folder,
            Kind.RELEASE,
            parents=(),
            terms=terms,
            expires_on=as_of + timedelta(days=told.expires_after_days),
            by=by,
            key=key,
        )
    details = {name: terms[name] for name in ("purpose", "as_of", "catalogue", "k", "invented", "left_out")}
    ledger.append("release.made", seal.id, by=by, details=details | {"verdict": terms["verdict"]})
    progress("release", total, total)
    return seal


def _tables(catalogue: Catalogue, vault: Vault, purpose: str) -> list[Table]:
    """What is held and has a rule for its subject; the register first. Repairs themselves never leave."""
    held, repairs = set(vault.names()), catalogue_roles.repairs(catalogue)
    return [
        table
        for table in catalogue_roles.in_order(catalogue)
        if table.name in held and table is not repairs and table.subject.rule(purpose) == "subject"
    ]


@dataclass(slots=True)
class _Maker:
    """The files of one release in the making."""

    run: Engine
    catalogue: Catalogue
    vault: Vault
    policy: PurposePolicy
    folder: Path
    as_of: date
    buckets: int = 1
    told: dict[str, Any] = field(default_factory=dict)
    left_out: dict[str, dict[str, int]] = field(default_factory=dict)
    generalised: dict[str, Any] = field(default_factory=dict)

    def prepare(self, tables: list[Table], policy: Policy, key: PseudonymKey) -> None:
        """Pseudonyms of every code, how many buckets, and the register recoded."""
        purpose, codes, subjects = self.policy.purpose, [], []
        for table in tables:
            named = release_format.coded(table, purpose)
            lent = f"codes_{table.name}"
            self.run.lend(lent, self.vault.read(table.name).select(named))
            codes += [(quoted(lent), column) for column in named]
            subjects.append(f"SELECT {quoted(table.subject.column)} AS code FROM {quoted(lent)}")
        pseudonyms.assign(self.run, codes, key)
        rows = self.run.rows(
            "SELECT byte, count(DISTINCT code), count(*) "
            f"FROM pseudonym JOIN ({' UNION ALL '.join(subjects)}) USING (code) GROUP BY 1"
        )
        counted = {byte: counts for byte, *counts in rows}
        by_byte = [counted.get(byte, [0, 0]) for byte in range(256)]
        self.buckets = policy.buckets([subjects for subjects, _ in by_byte], [rows for _, rows in by_byte])
        for table in tables:
            self.run.take_back(f"codes_{table.name}")
        self.run.do("CREATE TEMP TABLE suppressed (subject VARCHAR)")

    def table(self, table: Table) -> None:
        """Make one table's bucket files; the register comes first, and whom it suppresses is in no other table."""
        made = self._made(table)
        self.run.do(f"CREATE OR REPLACE TEMP TABLE made AS {made}")
        types = self.run.columns("SELECT * EXCLUDE (_bucket) FROM made")
        quasi = quasi_columns(table, self.policy.purpose, types)
        words = [column for column in quasi if types[column] == "VARCHAR"]
        given: dict[str, Any] = {}
        if table is catalogue_roles.register(self.catalogue):
            order = [column for column in self.policy.generalise if column in quasi]
            order += [column for column in quasi if column not in order]
            recoded = recode(self.run, "made", order, k=self.policy.k)
            given = dict(recoded.by_column)
            if recoded.suppressed:
                given["suppressed_subjects"] = recoded.suppressed
        masked = mask_rare(self.run, "made", words, small_cell=self.policy.small_cell)
        if masked or given:
            self.generalised[table.name] = {
                name: given.get(name, 0) + masked.get(name, 0) for name in {*given, *masked}
            }
        self._write(table.name)
        rows = int(self.run.one("SELECT count(*) FROM made"))
        dated = column_rules.times(table, self.policy.purpose) is not None
        self.told[table.name] = {"rows": rows, "dated": dated, "columns": types}
        if self.policy.purpose == INQUIRY:
            self.told[table.name] |= shown(table)
        self.run.do("DROP TABLE made")

    def _made(self, table: Table) -> str:
        """SQL for a table's release rows; counts what stays behind on the way."""
        purpose = self.policy.purpose
        self.run.lend("raw_given", self.vault.read(table.name))
        why = exclusion_rules.why_not(table, as_of=self.as_of, purpose=purpose)
        self.run.do(f"CREATE OR REPLACE TEMP TABLE raw AS SELECT *, CAST({why} AS VARCHAR) AS _why FROM raw_given t")
        self.run.take_back("raw_given")
        left = dict(self.run.rows("SELECT _why, count(*) FROM raw WHERE _why IS NOT NULL GROUP BY 1 ORDER BY 1"))
        if left:
            self.left_out[table.name] = left
        made = release_format.rows(table, purpose, buckets=self.buckets)
        return f"{made} WHERE t._why IS NULL AND s.key NOT IN (SELECT subject FROM suppressed)"

    def _write(self, name: str) -> None:
        self.run.do("DROP TABLE IF EXISTS raw")
        for bucket in range(self.buckets):
            rows = f"SELECT * EXCLUDE (_bucket) FROM made WHERE _bucket = {bucket}"
            release_format.write(self.run, rows, self.folder / release_format.file_of(name, bucket))
