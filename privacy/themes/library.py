"""The library of a theme: its subjects and records as they may be used on a day, counted. No row leaves custody.

Repaired, disputed, ended and later records are left out, as in a release for scoring. A number of subjects below the
theme's k is not shown; where one district alone were hidden, the next smallest is hidden too, so that no difference
from the sum gives it away.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from credit.catalogue import Catalogue, Table
from credit.errors import Missing
from privacy.duckdb_engine import Engine, Limits, engine, quoted, text
from privacy.release import exclusion_rules
from privacy.themes.theme import Theme
from privacy.vault import Vault


@dataclass(frozen=True, slots=True)
class ThemeCounts:
    """Numbers of a theme: its subjects, its records and their subjects by table, its subjects by district.

    ``subjects``, or the number of subjects of a table or a district, is None where it is below k.
    """

    theme: Theme
    as_of: date
    subjects: int | None
    tables: Mapping[str, tuple[int | None, int | None]]
    districts: Mapping[str, int | None]

    def as_json(self) -> dict[str, Any]:
        """The numbers as JSON values; a hidden number is null."""
        return {
            "theme": self.theme.name, "title": self.theme.title, "owner": self.theme.owner, "k": self.theme.k,
            "as_of": self.as_of.isoformat(), "subjects": self.subjects,
            "tables": {name: {"records": records, "subjects": subjects}
                       for name, (records, subjects) in self.tables.items()},
            "districts": dict(self.districts),
        }  # fmt: skip


def count_theme(
    theme: Theme, *, catalogue: Catalogue, vault: Vault, as_of: date, limits: Limits | None = None
) -> ThemeCounts:
    """Count a theme. Raises :class:`Missing` without the register, :class:`Malformed` for a wrong condition."""
    base = catalogue.table(theme.base)
    if base.name not in vault.names():
        raise Missing("themes.no-register")
    with engine(limits) as run:
        exclusion_rules.register_repairs(run, catalogue, vault, as_of=as_of)
        for name in dict.fromkeys((*theme.tables, *(table for table, _ in theme.having))):
            _usable(run, catalogue.table(name), vault, as_of)
        subjects = _subjects(run, theme, base, vault, as_of)
        tables = {}
        for name in theme.tables:
            rows = run.rows(f"SELECT count(*), count(DISTINCT s.code) FROM {_view(name)} t JOIN theme s USING (code)")
            records, with_records = rows[0]
            tables[name] = (records, with_records) if with_records >= theme.k or not with_records else (None, None)
        counted = dict(run.rows("SELECT district, count(*) FROM theme GROUP BY 1 ORDER BY 1"))
    whole = subjects if subjects >= theme.k or not subjects else None
    districts: dict[str, int | None] = dict.fromkeys(counted) if whole is None else hidden_below(counted, theme.k)
    return ThemeCounts(theme, as_of, whole, tables, districts)


def hidden_below(counts: Mapping[str, int], k: int) -> dict[str, int | None]:
    """The counts, those below k as None; never exactly one of several, which the sum would give away."""
    hidden = {name for name, count in counts.items() if 0 < count < k}
    shown = sorted((count, name) for name, count in counts.items() if name not in hidden and count)
    if hidden and shown and (len(hidden) == 1 or sum(counts[name] for name in hidden) < k):
        hidden.add(shown[0][1])
    return {name: None if name in hidden else count for name, count in counts.items()}


def _view(name: str) -> str:
    return quoted(f"usable_{name}")


def _usable(run: Engine, table: Table, vault: Vault, as_of: date) -> None:
    """Create the relation of a table's records that may be used on the day, with the subject's code as ``code``."""
    if table.name not in vault.names():
        run.execute(f"CREATE TEMP TABLE {_view(table.name)} AS SELECT NULL::VARCHAR AS code WHERE false")
        return
    run.register(f"stored_{table.name}", vault.read(table.name))
    why = exclusion_rules.exclusion_reason(table, as_of=as_of, purpose="scoring")
    run.execute(
        f"CREATE TEMP TABLE {_view(table.name)} AS SELECT t.*, t.{quoted(table.subject.column)} AS code "
        f"FROM {quoted(f'stored_{table.name}')} t WHERE ({why}) IS NULL"
    )


def _subjects(run: Engine, theme: Theme, base: Table, vault: Vault, as_of: date) -> int:
    """Create ``theme(code, district)`` and return the number of its subjects."""
    run.register("base_rows", vault.read(base.name))
    day = f"DATE {text(as_of.isoformat())}"
    relation = f"(SELECT *, {day} AS as_of FROM base_rows) r"
    run.require_condition(theme.where, relation)
    having = []
    for table, condition in theme.having:
        if len(run.columns(f"FROM {_view(table)}")) > 1:
            run.require_condition(condition, _view(table))
            having.append(f"code IN (SELECT code FROM {_view(table)} WHERE ({condition}))")
    code = f"r.{quoted(base.subject.column)}"
    columns = run.columns("FROM base_rows")
    district = "r.district" if "district" in columns else "''"
    active = "r.status = '存续'" if "status" in columns else "true"
    meets = f" AND ({' OR '.join(having)})" if having else " AND false" if theme.having else ""
    run.execute(
        f"CREATE TEMP TABLE theme AS SELECT {code} AS code, {district} AS district FROM {relation} "
        f"WHERE {active} AND ({theme.where})" + meets.replace("code IN", f"{code} IN")
    )
    return int(run.one("SELECT count(*) FROM theme"))
