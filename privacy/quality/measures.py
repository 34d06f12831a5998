"""What came in of each item from each source unit in a month, measured as the national notices do.

- 归集 ``received``: records stored and rows in quarantine, by the day they reached the platform (采集日期); a row
  without such a day by the day on which its file was brought in.
- 入库 ``stored``: those that passed all checks. 合规率 ``compliance`` = stored / received.
- 迟报率 ``lateness``: stored records that reached the platform after the last day in time, of those that can be
  assessed.
- 修改率 ``change``: stored records that a later version replaced in the month, of those stored in the month.

A row that came back corrected counts twice: once as received in the month of its fault, once as stored.
"""

from __future__ import annotations

import calendar
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pyarrow as pa

from credit.catalogue import Catalogue, Table
from credit.errors import Malformed
from credit.fields import Field
from credit.messages import Text
from privacy.duckdb_engine import Engine, Limits, engine, quoted
from privacy.intake import values
from privacy.quality.rules import QualityRules
from privacy.quarantine.annotated import fields_of
from privacy.quarantine.store import CORRECTED, SUPERSEDED
from privacy.quarantine.store import read as read_quarantine
from privacy.vault import Vault

_NUMBERS = ("received", "stored", "late", "assessed", "changed", "corrected")
NOT_NAMED = ""  # the source unit of rows that do not say who sent them
_CODE = re.compile(r"[0-9A-Z]{2}([0-9]{6})[0-9A-Z]{10}")


@dataclass(slots=True)
class UnitQuality:
    """The numbers of one item of one source unit in one month; ``reasons`` -> rows counts what was rejected and why."""

    item: str
    source: str
    division: str = ""
    received: int = 0
    stored: int = 0
    late: int = 0
    assessed: int = 0
    changed: int = 0
    corrected: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    @property
    def compliance(self) -> float | None:
        """合规率, in [0, 1]; None where nothing was received."""
        return self.stored / self.received if self.received else None

    @property
    def lateness(self) -> float | None:
        """迟报率, in [0, 1]; None where no record could be assessed."""
        return self.late / self.assessed if self.assessed else None

    @property
    def change(self) -> float | None:
        """修改率; None where nothing was stored in the month."""
        return self.changed / self.stored if self.stored else None

    def as_json(self) -> dict[str, Any]:
        """The numbers and rates; a rate of nothing is null."""
        rates = {"compliance": self.compliance, "lateness": self.lateness, "change": self.change}
        return {
            "item": self.item, "source": self.source, "division": self.division, "received": self.received,
            "stored": self.stored, "late": self.late, "assessed": self.assessed, "changed": self.changed,
            "corrected": self.corrected,
        } | {name: None if rate is None else round(rate, 6) for name, rate in rates.items()} | {
            "reasons": dict(self.reasons.most_common())
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class MonthQuality:
    """A month: the numbers of each item and source unit, and each reason as a message that exists in every language."""

    month: str
    units: tuple[UnitQuality, ...]
    messages: Mapping[str, Mapping[str, Any]]

    def by_item(self) -> list[UnitQuality]:
        """The sums over all source units, by item."""
        sums: dict[str, UnitQuality] = {}
        for unit in self.units:
            whole = sums.setdefault(unit.item, UnitQuality(unit.item, NOT_NAMED))
            for name in _NUMBERS:
                setattr(whole, name, getattr(whole, name) + getattr(unit, name))
            whole.reasons.update(unit.reasons)
        return list(sums.values())

    def as_json(self) -> dict[str, Any]:
        """The month as JSON values: the sums by item, every source unit, the messages of the reasons."""
        return {
            "month": self.month,
            "items": [whole.as_json() for whole in self.by_item()],
            "units": [unit.as_json() for unit in self.units],
            "messages": {reason: dict(message) for reason, message in self.messages.items()},
        }


def month_from(data: Mapping[str, Any]) -> MonthQuality:
    """The month that :meth:`MonthQuality.as_json` wrote."""
    units = [
        UnitQuality(each["item"], each["source"], each["division"], **{name: each[name] for name in _NUMBERS},
                    reasons=Counter(each["reasons"]))
        for each in data["units"]
    ]  # fmt: skip
    return MonthQuality(data["month"], tuple(units), data["messages"])


def span_of(month: str) -> tuple[date, date]:
    """The first and last day of a month ``YYYY-MM``; raises :class:`Malformed` for any other text."""
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", month, re.ASCII):
        raise Malformed("quality.not-month", why=Text.verbatim(month[:20]))
    year, number = int(month[:4]), int(month[5:])
    return date(year, number, 1), date(year, number, calendar.monthrange(year, number)[1])


def measure_month(
    month: str, *, catalogue: Catalogue, vault: Vault, rules: QualityRules, limits: Limits | None = None
) -> MonthQuality:
    """Measure every item of the rules in a month. A table that custody does not have gives no numbers."""
    first, last = span_of(month)
    units: dict[tuple[str, str, str], UnitQuality] = {}
    items = [table for name in rules.items if (table := catalogue.tables.get(name)) is not None]
    with engine(limits) as run:
        for table in items:
            if table.name in vault.names():
                for unit in _stored(run, table, vault, rules, first, last):
                    units[unit.item, unit.source, unit.division] = unit
    messages = _rejected({table.name: table for table in items}, vault, rules, (first, last), units)
    ordered = sorted(units.values(), key=lambda unit: (list(rules.items).index(unit.item), unit.division, unit.source))
    return MonthQuality(month, tuple(ordered), messages)


def source_fields(table: Table, rules: QualityRules) -> tuple[list[Field], list[Field]]:
    """The fields of a table that name the source unit, and those that have its code."""
    by_column = {each.column: each for each in table.fields}
    names = [by_column[column] for column in rules.source_columns if column in by_column]
    return names, [by_column[column] for column in rules.code_columns if column in by_column]


def _stored(
    run: Engine, table: Table, vault: Vault, rules: QualityRules, first: date, last: date
) -> Iterable[UnitQuality]:
    """The records of one table that reached the platform in the month, by source unit."""
    happened, known = table.time.happened, table.time.known
    if happened is None or known is None:
        return []
    names, codes = source_fields(table, rules)
    wanted = list(dict.fromkeys([happened.column, known.column, *(each.column for each in (*names, *codes))]))
    run.register("quality_rows", vault.read(table.name, wanted))
    in_month = f"{quoted(known.column)} BETWEEN DATE '{first}' AND DATE '{last}'"
    days = [row[0] for row in run.rows(f"SELECT DISTINCT {quoted(happened.column)} FROM quality_rows WHERE {in_month}")]
    ends = [rules.calendar.deadline(day, rules.items[table.name]) for day in days]
    run.register("deadlines", pa.table({"day": pa.array(days, pa.date32()), "ends": pa.array(ends, pa.date32())}))
    rows = run.rows(f"""
        SELECT {_first_of(names)} AS source, {_division(codes)} AS division, count(*),
            count(*) FILTER (WHERE {quoted(known.column)} > ends), count(ends)
        FROM quality_rows LEFT JOIN deadlines ON day = {quoted(happened.column)} WHERE {in_month} GROUP BY 1, 2""")
    run.unregister("quality_rows")
    run.unregister("deadlines")
    return [
        UnitQuality(table.name, source, division, received=count, stored=count, late=late, assessed=assessed)
        for source, division, count, late, assessed in rows
    ]


def _first_of(fields: list[Field]) -> str:
    parts = [f"nullif(trim({quoted(each.column)}), '')" for each in fields]
    return f"coalesce({', '.join(parts)}, '')" if parts else "''"


def _division(fields: list[Field]) -> str:
    code = _first_of(fields)
    return f"regexp_extract({code}, '^[0-9A-Z]{{2}}([0-9]{{6}})[0-9A-Z]{{10}}$', 1)"


def _rejected(
    tables: Mapping[str, Table], vault: Vault, rules: QualityRules, month: tuple[date, date],
    units: dict[tuple[str, str, str], UnitQuality],
) -> dict[str, Mapping[str, Any]]:  # fmt: skip
    """Add the rows of the quarantine to ``units``; the reasons as messages."""
    first, last = month
    messages: dict[str, Mapping[str, Any]] = {}
    for row in read_quarantine(vault).to_pylist():
        table = tables.get(row["table"])
        if table is None:
            continue
        given, supplied = fields_of(row) or {}, row["brought_on"]
        reached = _day_of(given.get(table.time.known.name, "") if table.time.known else "") or supplied
        replaced = row["state"] == SUPERSEDED
        in_month, changed = (_within(reached, first, last), replaced and _within(supplied, first, last))
        if not in_month and not changed:
            continue
        source, division = _sender(given, *source_fields(table, rules))
        unit = units.setdefault((table.name, source, division), UnitQuality(table.name, source, division))
        unit.changed += changed
        if not in_month:
            continue
        unit.received += 1
        if replaced:
            unit.stored += 1
            _judge(
                unit, _day_of(given.get(table.time.happened.name, "") if table.time.happened else ""), reached, rules
            )
            continue
        unit.corrected += row["state"] == CORRECTED
        unit.reasons[row["reason"]] += 1
        if row["message"]:
            messages[row["reason"]] = json.loads(row["message"])
    return messages


def _judge(unit: UnitQuality, decided: date | None, reached: date, rules: QualityRules) -> None:
    """Count whether a record that was replaced later had come in time."""
    deadline = rules.calendar.deadline(decided, rules.items[unit.item]) if decided else None
    unit.assessed += deadline is not None
    unit.late += deadline is not None and reached > deadline


def _within(day: date | None, first: date, last: date) -> bool:
    return day is not None and first <= day <= last


def _sender(given: Mapping[str, str], names: list[Field], codes: list[Field]) -> tuple[str, str]:
    source = next((name for each in names if (name := given.get(each.name, "").strip())), NOT_NAMED)
    code = next((text for each in codes if (text := given.get(each.name, "").strip().upper())), "")
    match = _CODE.fullmatch(code)
    return source, match[1] if match else ""


def _day_of(text: str) -> date | None:
    try:
        return date.fromisoformat(values.day(text))
    except ValueError:
        return None
