"""Generate an invented city: subjects, records, repairs, errors and files, in chunks of subjects.

Each table of each chunk has its own random stream, seeded by (seed, chunk, table): the same seed gives the same bytes,
and a table added to the catalogue changes no other table.
"""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from credit.catalogue import Catalogue, Table
from privacy.city import dirt as dirty
from privacy.city import examples
from privacy.city.events import Events
from privacy.city.filling import draw_any_table, fill_fields
from privacy.city.population import NEVER, Population, Span, draw_population, industry_letters
from privacy.city.tables import dues, enforcement, lists, market, promises, repairs
from privacy.city.tables.records import Drawn
from privacy.city.words import DISTRICTS, pick
from privacy.city.writing import Files, in_layout

CHUNK = 25_000  # subjects per chunk, whose rows take about 300 MiB
DEFAULT_TODAY = date(2026, 11, 1)
DIRT = 0.003
OLDER = {"administrative_penalty": ("2015", 0.12)}  # table -> layout, share of rows that still arrive in it
Progress = Callable[[str, int, int], None]
DRAWN: Mapping[str, Callable[..., Drawn]] = {
    draws.__name__: draws
    for draws in (
        enforcement.administrative_licence, enforcement.administrative_penalty,
        enforcement.administrative_coercion, enforcement.criminal_judgment, lists.judgment_debtor,
        lists.dishonest_judgment_debtor, lists.serious_dishonesty_list, lists.abnormal_operation_list,
        lists.abnormal_operation_mark, dues.tax_credit_rating, dues.tax_arrears, dues.social_insurance_arrears,
        dues.utility_arrears, promises.credit_commitment, promises.contract_performance, promises.honour,
        market.loan_performance, market.invoice,
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class CityReport:
    """The generated city: rows by table (with the dirty ones), dirty rows by kind, and by table and kind, and the
    names of the raw files."""

    folder: Path
    subjects: int
    seed: int
    today: date
    catalogue: str
    rows: Mapping[str, int]
    dirty: Mapping[str, int]
    dirty_by_table: Mapping[str, Mapping[str, int]]
    examples: Mapping[str, Mapping[str, str]]
    files: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The content of ``city.json``, without the folder, so that equal cities have equal files."""
        return {
            "invented": True, "subjects": self.subjects, "seed": self.seed, "today": self.today.isoformat(),
            "catalogue": self.catalogue, "rows": dict(self.rows), "dirty": dict(self.dirty),
            "dirty_by_table": {table: dict(kinds) for table, kinds in self.dirty_by_table.items()},
            "examples": {name: dict(each) for name, each in self.examples.items()},
        }  # fmt: skip


@dataclass(slots=True)
class _DirtCounts:
    dirty: dict[str, Counter[str]] = field(default_factory=dict)
    examples: dict[str, Any] = field(default_factory=dict)

    def add(self, table: str, counts: Mapping[str, int]) -> None:
        self.dirty.setdefault(table, Counter()).update({kind: n for kind, n in counts.items() if n})


def build(
    folder: Path, *, subjects: int, seed: int, today: date = DEFAULT_TODAY, progress: Progress | None = None,
    dirt: float = DIRT, catalogue: Catalogue | None = None,
) -> CityReport:  # fmt: skip
    """Write the raw files of a city of ``subjects`` into ``folder``, with ``city.json`` beside them.

    ``dirt`` is the share of rows with an error on purpose (0: none). ``progress(text, done, total)`` is called after
    each chunk. Returns the report that ``city.json`` contains.
    """
    known, span, dirt_counts = catalogue or Catalogue.load(), Span.until(today), _DirtCounts()
    offset = int(np.random.default_rng([seed, 0]).integers(0, 31**6))
    with Files(folder) as files:
        for chunk, first in enumerate(range(0, subjects, CHUNK)):
            count = min(CHUNK, subjects - first)
            people = draw_population(_stream(seed, chunk, "population"), span, first, count, offset)
            _write(files, known, people, seed, chunk, dirt, dirt_counts)
            if progress is not None:
                progress("inventing the city", first + count, subjects)
    total: Counter[str] = Counter()
    for counts in dirt_counts.dirty.values():
        total.update(counts)
    report = CityReport(
        folder, subjects, seed, today, known.version, dict(sorted(files.rows.items())), dict(sorted(total.items())),
        {table: dict(sorted(counts.items())) for table, counts in sorted(dirt_counts.dirty.items()) if counts},
        dirt_counts.examples, files.names,
    )  # fmt: skip
    content = json.dumps(report.as_json(), ensure_ascii=False, indent=1, sort_keys=True)
    (folder / "city.json").write_text(content + "\n", encoding="utf-8")
    return report


def _stream(seed: int, chunk: int, name: str) -> np.random.Generator:
    return np.random.default_rng([seed, chunk, zlib.crc32(name.encode())])


def _write(
    files: Files, known: Catalogue, people: Population, seed: int, chunk: int, dirt: float, dirt_counts: _DirtCounts
) -> None:
    drawn: dict[str, Drawn] = {}
    repaired: list[tuple[repairs.Repairable, Any, Any]] = []
    fresh = examples.fresh_penalties(people) if chunk == 0 else None
    for table in known.tables.values():
        if table.name == "credit_repair":
            continue
        rng = _stream(seed, chunk, table.name)
        events, columns = _draw(rng, people, table, fresh)
        rows = fill_fields(rng, table, people, events, columns)
        keep = np.zeros(len(events), bool)
        if table.repair_document is not None:
            repairable = _repairable(table, events, columns, rows)
            done, day = repairs.repaired(rng, people, repairable)
            repaired.append((repairable, done, day))
            keep = done | (np.isin(events.who, fresh.who) if fresh is not None else False)
        older = None
        if table.name in OLDER:
            layout, share = OLDER[table.name]
            early = (rng.random(len(events)) < share) & (events.day < people.span.today - 400) & ~keep
            older = in_layout(table, rows.filter(pa.array(early)), layout)
            rows, remaining, keep = rows.filter(pa.array(~early)), events.where(~early), keep[~early]
        else:
            remaining = events
        dirty_table = dirty.add_dirt(rng, table, rows, keep, people.registered[remaining.who], dirt, chunk == 0)
        dirt_counts.add(table.name, dirty_table.counts)
        files.add(table, dirty_table, older)
        if chunk == 0:
            drawn[table.name] = (events, columns)
    if "credit_repair" in known.tables and repaired:
        _write_repairs(
            files,
            known.table("credit_repair"),
            people,
            repaired,
            _stream(seed, chunk, "credit_repair"),
            dirt,
            dirt_counts,
        )
    if fresh is not None and {"loan_performance", "administrative_penalty"} <= set(drawn):
        dirt_counts.examples = examples.choose(people, drawn, fresh)


def _draw(rng: np.random.Generator, people: Population, table: Table, fresh: Events | None) -> Drawn:
    if table.registers:
        return _registration(people)
    if table.name == "administrative_penalty":
        return enforcement.administrative_penalty(rng, people, fresh)
    if table.name in DRAWN:
        return DRAWN[table.name](rng, people)
    return draw_any_table(rng, people, table)


def _registration(people: Population) -> Drawn:
    ended = people.ended != NEVER
    status = np.where(ended, np.where(people.revoked, 2, 1), 0)
    return Events(np.arange(len(people)), people.registered, people.risk[:, -1]), {
        "kind": pick(("enterprise", "individual_business"), people.trader.astype(np.int64)),
        "district": pick(DISTRICTS, people.district), "industry": pick(tuple(industry_letters()), people.industry),
        "registered_on": people.registered, "capital": people.capital, "employees": people.employees,
        "status": pick(("存续", "注销", "吊销"), status),
        "ended_on": np.where(ended, people.ended, np.datetime64("NaT")),
    }  # fmt: skip


def _repairable(table: Table, events: Events, columns: Mapping[str, Any], rows: pa.Table) -> repairs.Repairable:
    assert table.repair_document is not None
    severity = columns.get("severity")
    if severity is None:
        level = "serious" if table.name in ("dishonest_judgment_debtor", "serious_dishonesty_list") else "general"
        severity = np.full(len(events), level)
    else:
        severity = np.array(severity.to_pylist(), dtype=str)
    allowed = np.ones(len(events), bool)
    if table.state is not None:
        allowed &= pc.equal(rows[table.state.name], table.state.enum[0]).to_numpy()
    if "removed_on" in columns:
        allowed &= ~np.isnat(columns["removed_on"])
    document = rows[table.repair_document.name].combine_chunks()
    return repairs.Repairable(table.name, events, document, severity, allowed)


def _write_repairs(
    files: Files, table: Table, people: Population, repaired: list[tuple[repairs.Repairable, Any, Any]],
    rng: np.random.Generator, dirt: float, dirt_counts: _DirtCounts,
) -> None:  # fmt: skip
    first = people.first == 0
    events, columns = repairs.rows(rng, people, repaired)
    rows = fill_fields(rng, table, people, events, columns)
    extra = dirty.orphan_repairs(rng, table, rows, dirt, first)
    dirty_table = dirty.add_dirt(
        rng, table, rows, np.zeros(len(events), bool), people.registered[events.who], dirt, first
    )
    dirty_table.rows = pa.concat_tables([dirty_table.rows, extra])
    dirt_counts.add(table.name, dirty_table.counts | {"repair_without_record": extra.num_rows})
    files.add(table, dirty_table)
