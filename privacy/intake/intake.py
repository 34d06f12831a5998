"""Intake (归集): read, check and type raw files; merge good rows into the vault and put bad ones into its quarantine.

No row is lost, and a bad row or a broken file does not stop the others. Bringing in the same files again changes
nothing and reports it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Protocol

from credit.actor import Actor
from credit.canonical import digest_json
from credit.catalogue import Catalogue, Table
from credit.ledger import Ledger
from credit.messages import Text
from privacy import catalogue_roles
from privacy.duckdb_engine import Engine, Limits, engine, quoted, text
from privacy.intake import layouts, mappings, merging, row_checks, row_identity, surrogates
from privacy.intake.corrections import find_corrections
from privacy.intake.delivery import ChangedFile, Delivery, RawFile, delivery
from privacy.intake.intake_report import IntakeReport, TableCount
from privacy.intake.pooling import Pool, RowCounts
from privacy.quarantine import store
from privacy.storage.change import Change
from privacy.vault import Vault

ORPHAN = "intake.reason.orphan-repair"


class NumberedDelivery(Protocol):
    """A delivery of a source unit. ``details`` of it are entered in the ledger."""

    @property
    def details(self) -> Mapping[str, Any]:
        """What the ledger's entry says of it."""

    def require_whole(self, delivered: Delivery) -> None:
        """Raise :class:`Refused` unless these are the files of the delivery, and nothing else is."""

    def enter(self, change: Change, *, rows: int, today: date) -> None:
        """Keep its number, in the change that stores its rows."""


def intake(
    paths: Path | Iterable[Path],
    *,
    catalogue: Catalogue,
    vault: Vault,
    ledger: Ledger,
    by: Actor,
    today: date,
    progress: catalogue_roles.Progress = catalogue_roles.no_progress,
    limits: Limits | None = None,
    of_repair: bool = False,
    numbered: NumberedDelivery | None = None,
) -> IntakeReport:
    """Bring in files, or every file of a folder.

    ``of_repair`` says in the ledger that custody wrote the file itself, about a record that it has. ``today`` is the
    day of the intake, after which no record may have happened. ``numbered`` is the delivery of a source unit whose
    number is kept with its rows. Raises :class:`Missing` when there is no file to bring in, and :class:`Refused` when
    it is not the whole of ``numbered``.
    """
    learnt = mappings.learnt_mappings(vault)
    delivered = delivery(paths, catalogue, learnt)
    if numbered is not None:
        numbered.require_whole(delivered)
    with vault.exclusive(), engine(limits) as run, vault.change() as change:
        store.prepare(run)
        work = _Intake(run, catalogue, vault, change, today, delivered.files, learnt, progress)
        work.run_all()
        files = [file for file in delivered.files if file.name not in work.changed]
        store.keep(run, vault, change, today=today, read_files={f.digest: f.name for f in files})
        if numbered is not None and not work.changed:
            numbered.enter(change, rows=sum(each.rows_in for each in work.counts.values()), today=today)
        if change.is_changed:
            vault.leave_unentered()
        changed = vault.is_unentered
    digests = {file.name: file.digest for file in files}
    not_read = delivered.not_read | dict.fromkeys(work.changed, Text.of("intake.ignored.changed"))
    messages = {english: reason for each in work.counts.values() for english, reason in each.messages.items()}
    tables = {name: _count(each) for name, each in work.counts.items()}
    report = IntakeReport(tables, digests, not_read, changed, messages | merging.messages())
    if changed:
        details = report.for_ledger() | {"catalogue": {"name": catalogue.name, "version": catalogue.version}}
        details |= {"of_repair": True} if of_repair else {}
        details |= numbered.details if numbered else {}
        ledger.append("intake.accepted", f"intake-{digest_json(sorted(digests.values()))}", by=by, details=details)
        vault.entered()
    return report


def _count(rows: RowCounts) -> TableCount:
    reasons, merged = rows.reasons + Counter(rows.merged.quarantined), rows.merged
    return TableCount(
        rows.rows_in,
        merged.kept,
        merged.updated,
        merged.already,
        sum(reasons.values()),
        dict(sorted(reasons.items())),
        dict(sorted(rows.others.items())),
    )


@dataclass(slots=True)
class _Intake:
    """One run over all files: type the rows of every table, assign surrogates, merge."""

    run: Engine
    catalogue: Catalogue
    vault: Vault
    change: Change
    today: date
    files: tuple[RawFile, ...]
    learnt: tuple[layouts.Learnt, ...]
    progress: catalogue_roles.Progress
    counts: dict[str, RowCounts] = field(default_factory=dict)
    changed: list[str] = field(default_factory=list)  # names of files that changed while they were read

    def run_all(self) -> None:
        files: dict[str, list[RawFile]] = {}
        for file in self.files:
            table = layouts.table_of(file.file_name, self.catalogue, self.learnt)
            files.setdefault(table.name if table else "", []).append(file)
        tables = [table for table in catalogue_roles.intake_order(self.catalogue) if table.name in files]
        total, waiting = 2 * len(tables), store.WaitingRows(self.vault, self.change.files)
        if "" in files:
            self._pool(Pool(self.run, None, ()), files[""])
        self._register(None)
        for number, table in enumerate(tables):
            self.progress(f"checking {table.name}", number, total)
            pool = Pool(self.run, table, self._faults(table))
            self._pool(pool, files[table.name])
            find_corrections(self.run, table, pool.name, waiting.of(table.name), pool.faults)
            if not table.surrogate:
                self._merge(table)
        raw = [table for table in tables if table.surrogate]
        if raw:
            kinds = " UNION ALL ".join(_kinds(table) for table in raw)
            surrogates.assign(self.run, kinds, self.vault, self.change)
        for number, table in enumerate(raw):
            self.progress(f"keeping {table.name}", len(tables) + number, total)
            self._merge(table)
        self.progress("intake", total, total)

    def _pool(self, pool: Pool, files: list[RawFile]) -> None:
        for file in files:
            try:
                pool.add(file, self.learnt)
            except ChangedFile:
                self.changed.append(file.name)
        pool.finish()
        self.counts[pool.table.name if pool.table else ""] = pool.counts

    def _faults(self, table: Table) -> tuple[row_checks.Fault, ...]:
        """The faults of a table's rows, after its own checks were tried."""
        self._check(table)
        more: tuple[tuple[str, str], ...] = ()
        if table is catalogue_roles.repairs_table(self.catalogue):
            self._documents()
            record = "SELECT 1 FROM documents d WHERE d.document = document_number AND d.held = repaired_table"
            more = ((ORPHAN, f"NOT EXISTS ({record} AND d.subject = {quoted(table.subject.column)})"),)
        return row_checks.faults_of(table, today=self.today, more=more)

    def _check(self, table: Table) -> None:
        """Run the SQL checks of the catalogue on no rows, so that a wrong one is reported as :class:`Malformed`."""
        probe = ", ".join(f"CAST(NULL AS {row_checks.SQL_TYPES[f.type]}) AS {quoted(f.column)}" for f in table.fields)
        for check in table.checks:
            relation = f"(SELECT {probe}) v"
            if not any(field.column == "registered_on" for field in table.fields):
                relation += ", (SELECT registered_on FROM register) r"
                self.run.require_condition(check.bad, relation)
            else:
                self.run.require_condition(check.bad.replace("r.registered_on", "registered_on"), relation)

    def _merge(self, table: Table) -> None:
        pool = quoted(f"pool_{table.name}")
        if table.surrogate:
            code = quoted(table.subject.column)
            self.run.execute(f"UPDATE {pool} SET {code} = s.code FROM surrogates s WHERE s.raw = {code}")
        is_register = table is catalogue_roles.register_table(self.catalogue)
        row_identity.identify(self.run, table, pool, registers=is_register)
        self.counts[table.name].merged = merging.merge(self.run, table, self.vault, self.change)
        if is_register:
            self._register(table)

    def _register(self, table: Table | None) -> None:
        """Create the relation ``register(code, registered_on, number)`` from the vault's register.

        ``number`` is the firm's 15-digit number (注册号), where the register has one.
        """
        table = table or catalogue_roles.register_table(self.catalogue)
        columns = {field.column for field in table.fields} if table else set()
        if table is None or "registered_on" not in columns or table.name not in self.change.files.tables:
            self.run.execute("CREATE OR REPLACE TEMP TABLE register (code VARCHAR, registered_on DATE, number VARCHAR)")
            return
        has_number = "registration_number" in self.vault.columns(table.name, self.change.files)
        wanted = [table.subject.column, "registered_on", *(["registration_number"] if has_number else [])]
        self.run.register("stored_register", self.vault.batches(table.name, wanted, files=self.change.files))
        code, number = (
            quoted(table.subject.column),
            "min(registration_number)" if has_number else "CAST(NULL AS VARCHAR)",
        )
        self.run.execute(
            f"CREATE OR REPLACE TEMP TABLE register AS SELECT {code} AS code, min(registered_on) AS registered_on, "
            f"{number} AS number FROM stored_register GROUP BY 1"
        )
        self.run.unregister("stored_register")

    def _documents(self) -> None:
        """Create ``documents(held, document, subject)``: the records that a repair may refer to (held: table)."""
        self.run.execute("CREATE TEMP TABLE documents (held VARCHAR, document VARCHAR, subject VARCHAR)")
        for table in self.catalogue.tables.values():
            if table.repair_document and table.name in self.change.files.tables:
                columns = [table.repair_document.column, table.subject.column]
                self.run.register("stored_documents", self.vault.batches(table.name, columns, files=self.change.files))
                names = ", ".join(map(quoted, columns))
                self.run.execute(f"INSERT INTO documents SELECT {text(table.name)}, {names} FROM stored_documents")
                self.run.unregister("stored_documents")


def _kinds(table: Table) -> str:
    kind = quoted(table.subject_kind.column) if table.subject_kind else "CAST(NULL AS VARCHAR)"
    return f"SELECT {quoted(table.subject.column)} AS raw, {kind} AS kind FROM {quoted(f'pool_{table.name}')}"
