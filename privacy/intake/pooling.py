"""Type the rows of one table's files: good ones into ``pool_<table>``, rejected ones into ``bad`` with a reason."""

from __future__ import annotations

import copy
import json
from collections import Counter
from dataclasses import dataclass, field

import pyarrow as pa

from credit.catalogue import Table
from credit.messages import Text
from privacy.duckdb_engine import Engine, EngineFault, quoted, text
from privacy.files.block import Block, bad_file
from privacy.intake import layouts, merging, row_checks
from privacy.intake.column_mapping import map_columns
from privacy.intake.delivery import ChangedFile, RawFile
from privacy.intake.normalising import normalised
from privacy.intake.row_checks import UNKNOWN, Fault
from privacy.quarantine.store import RETURNED, WAITING

NO_TABLE = Text.of("intake.reason.no-table")


@dataclass(slots=True)
class RowCounts:
    """Counts of the rows of one table so far; ``messages`` has each reason as a message."""

    rows_in: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    others: Counter[str] = field(default_factory=Counter)
    messages: dict[str, Text] = field(default_factory=dict)
    merged: merging.Merged = field(default_factory=lambda: merging.Merged(0, 0, 0, {}))

    def reject(self, reason: Text, rows: int = 1) -> None:
        """Count rejected rows."""
        english = reason.render()
        self.reasons[english] += rows
        self.messages[english] = reason


@dataclass(slots=True)
class Pool:
    """The rows of one table while its files are read; ``name`` is the relation (empty for files of no table)."""

    run: Engine
    table: Table | None
    faults: tuple[Fault, ...]
    counts: RowCounts = field(default_factory=RowCounts)
    is_made: bool = False

    @property
    def name(self) -> str:
        """The relation of the good rows, as SQL."""
        return quoted(f"pool_{self.table.name}") if self.table else ""

    def add(self, file: RawFile, learnt: tuple[layouts.Learnt, ...]) -> None:
        """Read a file into the pool; its rows that cannot be stored become rejected rows.

        A file over which the engine gives up leaves nothing behind but its own line in quarantine: others go on. Raises
        :class:`ChangedFile` for a file that changed while it was read, of which nothing is left behind.
        """
        before = copy.deepcopy(self.counts), self.is_made
        try:
            with self.run.all_or_nothing():
                self._add(file, learnt)
        except EngineFault as fault:
            self.counts, self.is_made = before
            self._lines(file.name, file.digest, bad_file("intake.reason.engine-gave-up", error=fault.kind))
        except ChangedFile:
            self.counts, self.is_made = before
            raise

    def _add(self, file: RawFile, learnt: tuple[layouts.Learnt, ...]) -> None:
        own = tuple(mapping for mapping in learnt if mapping.fits(file.file_name))
        known = layouts.known_names(self.table, own) if self.table else frozenset[str]()
        for block in file.blocks(known):
            name = f"{file.name} [{block.part}]" if block.part else file.name
            source = f"{file.digest}#{block.part}" if block.part else file.digest
            self.counts.others.update(block.others)
            self._lines(name, source, block)
            if not block.rows.num_columns or (not len(block.rows) and self.is_made):
                continue
            if self.table is None:
                self._all_bad(name, source, block, NO_TABLE)
                continue
            layout = layouts.choose_layout(self.table, block.rows.column_names, own)
            if layout.missing:
                titles = (self._titled(missing) for missing in layout.missing)
                self._all_bad(name, source, block, Text.of("intake.reason.missing-columns", names=", ".join(titles)))
                continue
            mapped = map_columns(self.table, layout, block)
            self.run.register("mapped", mapped)
            self.run.register("normal", normalised(self.table, mapped))
            self.run.execute(
                f"CREATE TEMP TABLE typed AS {row_checks.typed_rows_sql(self.table, 'normal', self.faults)}"
            )
            self._split(name, source)
            self.run.unregister("normal")
            self.run.unregister("mapped")

    def finish(self) -> None:
        """Make the relation of the good rows where no file had one."""
        if not self.is_made and self.table:
            types = (f"{quoted(f.column)} {row_checks.SQL_TYPES[f.type]}" for f in self.table.fields)
            own = "is_surrogate BOOLEAN, _source VARCHAR, _line BIGINT, _file VARCHAR, _waiting VARCHAR"
            self.run.execute(f"CREATE TEMP TABLE {self.name} ({', '.join(types)}, {own})")

    def _titled(self, name: str) -> str:
        assert self.table is not None
        field = next((each for each in self.table.fields if each.name == name), None)
        return f"{name} ({field.title})" if field and field.title != name and field.name != field.title else name

    def _split(self, name: str, source: str) -> None:
        table = self.table
        assert table is not None
        rows = self.run.rows("SELECT _fault, if(_fault = 0, _unknown, NULL), count(*) FROM typed GROUP BY ALL")
        self.counts.rows_in += sum(count for *_, count in rows)
        values = (
            f"{row_checks.columns(table)}, {str(table.surrogate).lower()} AS is_surrogate, {text(source)} AS _source"
        )
        good = f"SELECT {values}, _line, {text(name)} AS _file, _waiting FROM typed WHERE _fault IS NULL"
        self.run.execute(
            f"INSERT INTO {self.name} {good}" if self.is_made else f"CREATE TEMP TABLE {self.name} AS {good}"
        )
        self.is_made = True
        if faulty := [(fault, unknown, count) for fault, unknown, count in rows if fault is not None]:
            self._reject(name, source, faulty)
        self.run.execute("DROP TABLE typed")

    def _reject(self, name: str, source: str, faulty: list[tuple[int, str | None, int]]) -> None:
        """Put the faulty rows of ``typed`` into ``bad``, each with the row as the file has it."""
        table = self.table
        assert table is not None
        reasons: dict[str, list[object]] = {"fault": [], "unknown": [], "reason": [], "message": [], "field": []}
        for fault, unknown, count in faulty:
            reason = (
                Text.of("intake.reason.unknown-column", names=unknown)
                if fault == UNKNOWN
                else self.faults[fault].reason
            )
            self.counts.reject(reason, count)
            row = (
                fault,
                unknown,
                reason.render(),
                json.dumps(reason.as_json(), ensure_ascii=False),
                self.faults[fault].field,
            )
            for column, value in zip(reasons, row, strict=True):
                reasons[column].append(value)
        types = {"fault": pa.int32()}
        self.run.register("why", pa.table({n: pa.array(v, types.get(n, pa.string())) for n, v in reasons.items()}))
        original = row_checks.original_row_sql(table, "m")
        unknown_values = "if(m._unknown IS NULL, '', ' unknown: ' || m._unknown_values)"
        faulty_rows = "(SELECT _line, _fault, _unknown FROM typed WHERE _fault IS NOT NULL)"
        self.run.execute(
            f"INSERT INTO bad SELECT {text(table.name)}, {text(name)}, {text(source)}, t._line, w.reason, "
            f"{original} || {unknown_values}, w.message, w.field, {text(WAITING)} "
            f"FROM {faulty_rows} t JOIN mapped m USING (_line) JOIN why w "
            "ON w.fault = t._fault AND w.unknown IS NOT DISTINCT FROM if(t._fault = 0, t._unknown, NULL)"
        )
        self.run.execute(
            f"INSERT INTO came_back SELECT trim(_waiting), {text(name)}, {text(RETURNED)} FROM typed "
            "WHERE _fault IS NOT NULL AND trim(_waiting) <> ''"
        )
        self.run.unregister("why")

    def _lines(self, name: str, source: str, block: Block) -> None:
        """Put the lines that cannot be read as rows into ``bad``."""
        if not block.bad:
            return
        reasons = [bad.reason for bad in block.bad]
        self._insert(
            name,
            source,
            pa.table(
                {
                    "line": pa.array([bad.line for bad in block.bad], pa.int64()),
                    "reason": [reason.render() for reason in reasons],
                    "row": [bad.content for bad in block.bad],
                    "message": [json.dumps(reason.as_json(), ensure_ascii=False) for reason in reasons],
                }
            ),
            "row",
        )
        self.counts.rows_in += len(reasons)
        for reason in reasons:
            self.counts.reject(reason)

    def _all_bad(self, name: str, source: str, block: Block, reason: Text) -> None:
        """Put every row of a block into ``bad`` for one reason."""
        if not len(block.rows):
            return
        count = len(block.rows)
        rows = block.rows.rename_columns([f"given {column}" for column in block.rows.column_names])
        pairs = ", ".join(f"{text(each.removeprefix('given '))}, {quoted(each)}" for each in rows.column_names)
        message = json.dumps(reason.as_json(), ensure_ascii=False)
        rows = rows.append_column("line", pa.array(block.lines, pa.int64()))
        for column, value in (("reason", reason.render()), ("message", message)):
            rows = rows.append_column(column, pa.repeat(pa.scalar(value), count))
        self._insert(name, source, rows, f"CAST(json_object({pairs}) AS VARCHAR)")
        self.counts.rows_in += count
        self.counts.reject(reason, count)

    def _insert(self, name: str, source: str, rows: pa.Table, row: str) -> None:
        table = self.table.name if self.table else ""
        self.run.register("rejected", rows)
        self.run.execute(
            f"INSERT INTO bad SELECT {text(table)}, {text(name)}, {text(source)}, line, reason, {row}, message, '', "
            f"{text(WAITING)} FROM rejected"
        )
        self.run.unregister("rejected")
