"""Intake (归集): read, check and type raw files; merge good rows into the vault and put bad ones into its quarantine.

No row is lost, and a bad row does not stop the others. Bringing in the same files again changes nothing and reports it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa

from credit.actor import Actor
from credit.canonical import digest, digest_json
from credit.catalogue import Catalogue, Table
from credit.errors import Missing
from credit.ledger import Ledger
from privacy import catalogue_roles
from privacy.duckdb_engine import Engine, Limits, engine, quoted, text
from privacy.intake import file_reading, layouts, merging, quarantine, row_checks, surrogates
from privacy.intake.column_mapping import map_columns
from privacy.intake.intake_report import IntakeReport, TableCount
from privacy.vault import Vault

NO_TABLE = "the file fits no table of the catalogue"
ORPHAN = "a repair of a record that is not held: no document of this number, of this subject, in that table"


@dataclass(slots=True)
class _RowCounts:
    """Counts of the rows of one table so far."""

    rows_in: int
    reasons: Counter[str]
    merged: merging.Merged


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
) -> IntakeReport:
    """Bring in files, or every file of a folder.

    ``of_repair`` says in the ledger that custody wrote the file itself, about a record that it has. ``today`` is the
    day of the intake, after which no record may have happened. Raises :class:`Missing` when there is no file to bring
    in.
    """
    files = _files(paths)
    readable = [path for path in files if path.suffix.lower() in file_reading.ENDINGS]
    if not readable:
        raise Missing("intake.no-file-to-bring-in")
    digests = {path: digest(path) for path in readable}
    counts: dict[str, _RowCounts] = {}
    with vault.exclusive(), engine(limits) as run:
        quarantine.prepare(run)
        before = _inodes(vault)
        _Intake(run, catalogue, vault, today, digests, counts, progress).run_all()
        quarantined = quarantine.keep(run, vault, today=today)
        changed = bool(quarantined) or before != _inodes(vault)
    report = IntakeReport(
        {name: _count(each) for name, each in counts.items()},
        {path.name: value for path, value in digests.items()},
        tuple(path.name for path in files if path not in digests),
        changed,
    )
    if changed:
        details = report.as_json() | {"catalogue": {"name": catalogue.name, "version": catalogue.version}}
        details |= {"of_repair": True} if of_repair else {}
        ledger.append("intake.accepted", f"intake-{digest_json(sorted(digests.values()))}", by=by, details=details)
    return report


def _files(paths: Path | Iterable[Path]) -> list[Path]:
    if isinstance(paths, Path):
        if not paths.exists():
            raise Missing("intake.no-file-or-folder", paths_name=paths.name)
        paths = [path for path in paths.iterdir() if path.is_file()] if paths.is_dir() else [paths]
    return sorted(path for path in paths if not path.name.startswith("."))


def _inodes(vault: Vault) -> dict[str, int]:
    """The inode of each stored table: a table that is written again gets another one."""
    return {name: (vault.folder / f"{name}.sealed").stat().st_ino for name in vault.names()}


def _count(rows: _RowCounts) -> TableCount:
    reasons, merged = rows.reasons + Counter(rows.merged.quarantined), rows.merged
    return TableCount(
        rows.rows_in, merged.kept, merged.updated, merged.already, sum(reasons.values()), dict(sorted(reasons.items()))
    )


@dataclass(slots=True)
class _Intake:
    """One run over all files: type the rows of every table, assign surrogates, merge."""

    run: Engine
    catalogue: Catalogue
    vault: Vault
    today: date
    digests: dict[Path, str]
    counts: dict[str, _RowCounts]
    progress: catalogue_roles.Progress

    def run_all(self) -> None:
        files: dict[str, list[Path]] = {}
        for path in self.digests:
            table = layouts.table_of(path.name, self.catalogue)
            files.setdefault(table.name if table else "", []).append(path)
        tables = [table for table in catalogue_roles.intake_order(self.catalogue) if table.name in files]
        total = 2 * len(tables)
        self._quarantine_unknown_files(files.get("", []))
        self._register(None)
        for number, table in enumerate(tables):
            self.progress(f"checking {table.name}", number, total)
            self._pool(table, files[table.name])
            if not table.surrogate:
                self._merge(table)
        raw = [table for table in tables if table.surrogate]
        if raw:
            kinds = " UNION ALL ".join(_kinds(table) for table in raw)
            surrogates.assign(self.run, kinds, self.vault)
        for number, table in enumerate(raw):
            self.progress(f"keeping {table.name}", len(tables) + number, total)
            self._merge(table)
        self.progress("intake", total, total)

    def _pool(self, table: Table, paths: list[Path]) -> None:
        """Type the rows of a table's files: good ones into ``pool_<table>``, bad ones into ``bad``."""
        more: tuple[tuple[str, str], ...] = ()
        if table is catalogue_roles.repairs_table(self.catalogue):
            self._documents()
            record = "SELECT 1 FROM documents d WHERE d.document = document_number AND d.held = repaired_table"
            more = ((ORPHAN, f"NOT EXISTS ({record} AND d.subject = {quoted(table.subject.column)})"),)
        self.counts[table.name] = _RowCounts(0, Counter(), merging.Merged(0, 0, 0, {}))
        pool, made = quoted(f"pool_{table.name}"), False
        for path in paths:
            for block in file_reading.blocks(path):
                self._lines(table.name, path, block)
                layout = layouts.choose_layout(table, block.rows.column_names) if block.rows.column_names else None
                if layout is None or not layout.missing:
                    self.run.register("mapped", map_columns(table, layout, block))
                    if not made:
                        self._check(table)
                    typed = row_checks.typed_rows_sql(table, "mapped", today=self.today, more=more)
                    self.run.execute(f"CREATE TEMP TABLE typed AS {typed}")
                    self.run.unregister("mapped")
                    self._split(table, path, pool, made)
                    made = True
                else:
                    names = ", ".join(layout.missing)
                    self._all_bad(table.name, path, block, f"the file has no column for {names}, which is required")
        if not made:
            types = (f"{quoted(f.column)} {row_checks.SQL_TYPES[f.type]}" for f in table.fields)
            own = "is_surrogate BOOLEAN, _source VARCHAR, _line BIGINT, _file VARCHAR"
            self.run.execute(f"CREATE TEMP TABLE {pool} ({', '.join(types)}, {own})")

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

    def _split(self, table: Table, path: Path, pool: str, made: bool) -> None:
        name, source = text(path.name), text(self.digests[path])
        values = f"{row_checks.columns(table)}, {str(table.surrogate).lower()} AS is_surrogate, {source} AS _source"
        good = f"SELECT {values}, _line, {name} AS _file FROM typed WHERE _why IS NULL"
        self.run.execute(f"INSERT INTO {pool} {good}" if made else f"CREATE TEMP TABLE {pool} AS {good}")
        original = row_checks.original_row_sql(table)
        self.run.execute(
            f"INSERT INTO bad SELECT {text(table.name)}, {name}, {source}, _line, _why, {original} || "
            "if(_unknown IS NULL, '', ' unknown: ' || _unknown_values) FROM typed WHERE _why IS NOT NULL"
        )
        reasons = self.run.rows("SELECT coalesce(_why, ''), count(*) FROM typed GROUP BY ALL")
        self.run.execute("DROP TABLE typed")
        rows = self.counts[table.name]
        rows.rows_in += sum(count for _, count in reasons)
        rows.reasons.update({why: count for why, count in reasons if why})

    def _lines(self, name: str, path: Path, block: file_reading.Block) -> None:
        """Put the lines that are not rows into ``bad``."""
        if not block.bad:
            return
        self.run.register(
            "lines",
            pa.table(
                {
                    "line": pa.array([bad.line for bad in block.bad], pa.int64()),
                    "reason": [bad.reason for bad in block.bad],
                    "row": [bad.content for bad in block.bad],
                }
            ),
        )
        self._add(name, path, "lines")
        self.run.unregister("lines")
        rows = self.counts[name]
        rows.rows_in += len(block.bad)
        rows.reasons.update(bad.reason for bad in block.bad)

    def _all_bad(self, name: str, path: Path, block: file_reading.Block, reason: str) -> None:
        """Put every row of a block into ``bad`` for one reason."""
        if not len(block.rows):
            return
        pairs = ", ".join(f"{text(column)}, {quoted(column)}" for column in block.rows.column_names)
        self.run.register("rejected", block.rows.append_column("_line", pa.array(block.lines)))
        row = f"CAST(json_object({pairs}) AS VARCHAR) AS row"
        self._add(name, path, f"(SELECT _line AS line, {text(reason)} AS reason, {row} FROM rejected)")
        self.run.unregister("rejected")
        self.counts[name].rows_in += len(block.rows)
        self.counts[name].reasons[reason] += len(block.rows)

    def _add(self, name: str, path: Path, relation: str) -> None:
        source = text(self.digests[path])
        self.run.execute(
            f"INSERT INTO bad SELECT {text(name)}, {text(path.name)}, {source}, line, reason, row FROM {relation}"
        )

    def _quarantine_unknown_files(self, paths: list[Path]) -> None:
        for path in paths:
            self.counts.setdefault("", _RowCounts(0, Counter(), merging.Merged(0, 0, 0, {})))
            for block in file_reading.blocks(path):
                self._lines("", path, block)
                self._all_bad("", path, block, NO_TABLE)

    def _merge(self, table: Table) -> None:
        pool = quoted(f"pool_{table.name}")
        if table.surrogate:
            code = quoted(table.subject.column)
            self.run.execute(f"UPDATE {pool} SET {code} = s.code FROM surrogates s WHERE s.raw = {code}")
        self.counts[table.name].merged = merging.merge(self.run, table, pool, self.vault)
        self.run.execute(f"DROP TABLE {pool}")
        if table is catalogue_roles.register_table(self.catalogue):
            self._register(table)

    def _register(self, table: Table | None) -> None:
        """Create the relation ``register(code, registered_on)`` from the vault's register."""
        table = table or catalogue_roles.register_table(self.catalogue)
        columns = {field.column for field in table.fields} if table else set()
        if table is None or "registered_on" not in columns or table.name not in self.vault.names():
            self.run.execute("CREATE OR REPLACE TEMP TABLE register (code VARCHAR, registered_on DATE)")
            return
        self.run.register(
            "stored_register", self.vault.read(table.name).select([table.subject.column, "registered_on"])
        )
        code = quoted(table.subject.column)
        self.run.execute(
            f"CREATE OR REPLACE TEMP TABLE register AS SELECT {code} AS code, min(registered_on) AS registered_on "
            "FROM stored_register GROUP BY 1"
        )
        self.run.unregister("stored_register")

    def _documents(self) -> None:
        """Create ``documents(held, document, subject)``: the records that a repair may refer to (held: table)."""
        self.run.execute("CREATE TEMP TABLE documents (held VARCHAR, document VARCHAR, subject VARCHAR)")
        for table in self.catalogue.tables.values():
            if table.repair_document and table.name in self.vault.names():
                columns = [table.repair_document.column, table.subject.column]
                self.run.register("stored_documents", self.vault.read(table.name).select(columns))
                names = ", ".join(map(quoted, columns))
                self.run.execute(f"INSERT INTO documents SELECT {text(table.name)}, {names} FROM stored_documents")
                self.run.unregister("stored_documents")


def _kinds(table: Table) -> str:
    kind = quoted(table.subject_kind.column) if table.subject_kind else "CAST(NULL AS VARCHAR)"
    return f"SELECT {quoted(table.subject.column)} AS raw, {kind} AS kind FROM {quoted(f'pool_{table.name}')}"
