"""Intake (归集): raw files in, checked and typed; good rows merged into the vault, bad ones into its quarantine.

No row is lost and none stops the others. Bringing in the same files twice changes nothing, and says so.
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
from privacy.intake.column_mapping import shaped
from privacy.intake.intake_report import IntakeReport, TableCount
from privacy.vault import Vault

NO_TABLE = "the file fits no table of the catalogue"
ORPHAN = "a repair of a record that is not held: no document of this number, of this subject, in that table"


@dataclass(slots=True)
class _Tally:
    """What happened to a table's rows so far."""

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
    progress: catalogue_roles.Progress = catalogue_roles.quiet,
    limits: Limits | None = None,
) -> IntakeReport:
    """Bring in files, or every file of a folder. Raises :class:`Missing` when there is nothing to bring in."""
    files = _files(paths)
    readable = [path for path in files if path.suffix.lower() in file_reading.ENDINGS]
    if not readable:
        raise Missing("intake.no-file-to-bring-in")
    digests = {path: digest(path) for path in readable}
    tally: dict[str, _Tally] = {}
    with vault.alone(), engine(limits) as run:
        quarantine.prepare(run)
        before = _digests_of_tables(vault)
        _Intake(run, catalogue, vault, today, digests, tally, progress).all()
        quarantined = quarantine.keep(run, vault, today=today)
        changed = bool(quarantined) or before != _digests_of_tables(vault)
    report = IntakeReport(
        {name: _count(each) for name, each in tally.items()},
        {path.name: value for path, value in digests.items()},
        tuple(path.name for path in files if path not in digests),
        changed,
    )
    if changed:
        told = report.as_json() | {"catalogue": {"name": catalogue.name, "version": catalogue.version}}
        ledger.append("intake.accepted", f"intake-{digest_json(sorted(digests.values()))}", by=by, details=told)
    return report


def _files(paths: Path | Iterable[Path]) -> list[Path]:
    if isinstance(paths, Path):
        if not paths.exists():
            raise Missing("intake.no-file-or-folder", paths_name=paths.name)
        paths = [path for path in paths.iterdir() if path.is_file()] if paths.is_dir() else [paths]
    return sorted(path for path in paths if not path.name.startswith("."))


def _digests_of_tables(vault: Vault) -> dict[str, int]:
    """A sealed table that was written again has another inode."""
    return {name: (vault.folder / f"{name}.sealed").stat().st_ino for name in vault.names()}


def _count(tally: _Tally) -> TableCount:
    reasons, merged = tally.reasons + Counter(tally.merged.quarantined), tally.merged
    return TableCount(
        tally.rows_in, merged.kept, merged.updated, merged.already, sum(reasons.values()), dict(sorted(reasons.items()))
    )


@dataclass(slots=True)
class _Intake:
    """One run over all files: type every table's rows, give surrogates, merge."""

    run: Engine
    catalogue: Catalogue
    vault: Vault
    today: date
    digests: dict[Path, str]
    tally: dict[str, _Tally]
    progress: catalogue_roles.Progress

    def all(self) -> None:
        files: dict[str, list[Path]] = {}
        for path in self.digests:
            table = layouts.table_of(path.name, self.catalogue)
            files.setdefault(table.name if table else "", []).append(path)
        tables = [table for table in catalogue_roles.in_order(self.catalogue) if table.name in files]
        total = 2 * len(tables)
        self._strangers(files.get("", []))
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
        if table is catalogue_roles.repairs(self.catalogue):
            self._documents()
            held = "SELECT 1 FROM documents d WHERE d.document = document_number AND d.held = repaired_table"
            more = ((ORPHAN, f"NOT EXISTS ({held} AND d.subject = {quoted(table.subject.column)})"),)
        self.tally[table.name] = _Tally(0, Counter(), merging.Merged(0, 0, 0, {}))
        pool, made = quoted(f"pool_{table.name}"), False
        for path in paths:
            for block in file_reading.blocks(path):
                self._lines(table.name, path, block)
                layout = layouts.choose(table, block.rows.column_names) if block.rows.column_names else None
                if layout is None or not layout.missing:
                    given = shaped(table, layout, block)
                    self.run.lend("given", given)
                    if not made:
                        self._check(table)
                    self.run.do(
                        f"CREATE TEMP TABLE typed AS {row_checks.typed(table, 'given', today=self.today, more=more)}"
                    )
                    self.run.take_back("given")
                    self._split(table, path, pool, made)
                    made = True
                else:
                    names = ", ".join(layout.missing)
                    self._all_bad(table.name, path, block, f"the file has no column for {names}, which is required")
        if not made:
            types = (f"{quoted(f.column)} {row_checks.SQL_TYPES[f.type]}" for f in table.fields)
            own = "is_surrogate BOOLEAN, _source VARCHAR, _line BIGINT, _file VARCHAR"
            self.run.do(f"CREATE TEMP TABLE {pool} ({', '.join(types)}, {own})")

    def _check(self, table: Table) -> None:
        """The catalogue's own SQL is tried once on no rows, so that a wrong one is told as such."""
        probe = ", ".join(f"CAST(NULL AS {row_checks.SQL_TYPES[f.type]}) AS {quoted(f.column)}" for f in table.fields)
        for check in table.checks:
            relation = f"(SELECT {probe}) v"
            if not any(field.column == "registered_on" for field in table.fields):
                relation += ", (SELECT registered_on FROM register) r"
                self.run.is_sql(check.bad, relation)
            else:
                self.run.is_sql(check.bad.replace("r.registered_on", "registered_on"), relation)

    def _split(self, table: Table, path: Path, pool: str, made: bool) -> None:
        name, source = text(path.name), text(self.digests[path])
        values = f"{row_checks.columns(table)}, {str(table.surrogate).lower()} AS is_surrogate, {source} AS _source"
        good = f"SELECT {values}, _line, {name} AS _file FROM typed WHERE _why IS NULL"
        self.run.do(f"INSERT INTO {pool} {good}" if made else f"CREATE TEMP TABLE {pool} AS {good}")
        as_given = row_checks.as_given(table)
        self.run.do(
            f"INSERT INTO bad SELECT {text(table.name)}, {name}, {source}, _line, _why, {as_given} || "
            "if(_unknown IS NULL, '', ' unknown: ' || _unknown_told) FROM typed WHERE _why IS NOT NULL"
        )
        counts = self.run.rows("SELECT coalesce(_why, ''), count(*) FROM typed GROUP BY ALL")
        self.run.do("DROP TABLE typed")
        tally = self.tally[table.name]
        tally.rows_in += sum(count for _, count in counts)
        tally.reasons.update({why: count for why, count in counts if why})

    def _lines(self, name: str, path: Path, block: file_reading.Block) -> None:
        """Lines that are no rows."""
        if not block.bad:
            return
        self.run.lend(
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
        self.run.take_back("lines")
        tally = self.tally[name]
        tally.rows_in += len(block.bad)
        tally.reasons.update(bad.reason for bad in block.bad)

    def _all_bad(self, name: str, path: Path, block: file_reading.Block, reason: str) -> None:
        """Every row of a block into quarantine for one reason."""
        if not len(block.rows):
            return
        pairs = ", ".join(f"{text(column)}, {quoted(column)}" for column in block.rows.column_names)
        self.run.lend("strange", block.rows.append_column("_line", pa.array(block.lines)))
        row = f"CAST(json_object({pairs}) AS VARCHAR) AS row"
        self._add(name, path, f"(SELECT _line AS line, {text(reason)} AS reason, {row} FROM strange)")
        self.run.take_back("strange")
        self.tally[name].rows_in += len(block.rows)
        self.tally[name].reasons[reason] += len(block.rows)

    def _add(self, name: str, path: Path, relation: str) -> None:
        source = text(self.digests[path])
        self.run.do(
            f"INSERT INTO bad SELECT {text(name)}, {text(path.name)}, {source}, line, reason, row FROM {relation}"
        )

    def _strangers(self, paths: list[Path]) -> None:
        for path in paths:
            self.tally.setdefault("", _Tally(0, Counter(), merging.Merged(0, 0, 0, {})))
            for block in file_reading.blocks(path):
                self._lines("", path, block)
                self._all_bad("", path, block, NO_TABLE)

    def _merge(self, table: Table) -> None:
        pool = quoted(f"pool_{table.name}")
        if table.surrogate:
            code = quoted(table.subject.column)
            self.run.do(f"UPDATE {pool} SET {code} = s.code FROM surrogates s WHERE s.raw = {code}")
        self.tally[table.name].merged = merging.merge(self.run, table, pool, self.vault)
        self.run.do(f"DROP TABLE {pool}")
        if table is catalogue_roles.register(self.catalogue):
            self._register(table)

    def _register(self, table: Table | None) -> None:
        """Make ``register(code, registered_on)`` from what the vault holds."""
        table = table or catalogue_roles.register(self.catalogue)
        columns = {field.column for field in table.fields} if table else set()
        if table is None or "registered_on" not in columns or table.name not in self.vault.names():
            self.run.do("CREATE OR REPLACE TEMP TABLE register (code VARCHAR, registered_on DATE)")
            return
        self.run.lend("held_register", self.vault.read(table.name).select([table.subject.column, "registered_on"]))
        code = quoted(table.subject.column)
        self.run.do(
            f"CREATE OR REPLACE TEMP TABLE register AS SELECT {code} AS code, min(registered_on) AS registered_on "
            "FROM held_register GROUP BY 1"
        )
        self.run.take_back("held_register")

    def _documents(self) -> None:
        """Make ``documents(held, document, subject)``: the records a repair may name."""
        self.run.do("CREATE TEMP TABLE documents (held VARCHAR, document VARCHAR, subject VARCHAR)")
        for table in self.catalogue.tables.values():
            if table.repair_document and table.name in self.vault.names():
                columns = [table.repair_document.column, table.subject.column]
                self.run.lend("held_documents", self.vault.read(table.name).select(columns))
                names = ", ".join(map(quoted, columns))
                self.run.do(f"INSERT INTO documents SELECT {text(table.name)}, {names} FROM held_documents")
                self.run.take_back("held_documents")


def _kinds(table: Table) -> str:
    kind = quoted(table.subject_kind.column) if table.subject_kind else "CAST(NULL AS VARCHAR)"
    return f"SELECT {quoted(table.subject.column)} AS raw, {kind} AS kind FROM {quoted(f'pool_{table.name}')}"
