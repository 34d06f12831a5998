"""Describe what a release discloses, from the files that would leave custody."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from credit.catalogue import Catalogue, Table
from privacy import catalogue_roles
from privacy.disclosure import Column, DisclosedTable, Disclosure
from privacy.duckdb_engine import Engine, quoted, text
from privacy.release.column_rules import DROP, name_in_release

TIMES = ("_happened", "_known", "_ends")


def scan_release(engine: Engine, folder: Path, catalogue: Catalogue, purpose: str) -> Disclosure:
    """Read the Parquet files under ``folder/<table>/`` without knowledge of the raw data."""
    tables, classes = [], []
    for path in sorted(path for path in folder.iterdir() if path.is_dir()):
        table = catalogue.tables.get(path.name)
        relation = f"read_parquet({text(str(path / '*.parquet'))})"
        types = engine.columns(f"SELECT * FROM {relation}")
        columns = tuple(_column(engine, relation, table, purpose, *each) for each in types.items())
        tables.append(DisclosedTable(path.name, columns))
        is_register = table is not None and table is catalogue_roles.register_table(catalogue)
        quasi = quasi_columns(table, purpose, types) if table and is_register else []
        if quasi:
            by = ", ".join(map(quoted, quasi))
            sizes = engine.rows(f"SELECT count(DISTINCT subject) FROM {relation} GROUP BY {by}")
            classes += [int(row[0]) for row in sizes]
    return Disclosure(tuple(tables), tuple(classes))


def quasi_columns(table: Table, purpose: str, types: Mapping[str, str]) -> list[str]:
    """The quasi-identifiers of a table that are in a release, in the catalogue's order."""
    return [
        field.column
        for field in table.fields
        if field.role == "quasi" and field.rule(purpose) != DROP and field.column in types
    ]


def _column(engine: Engine, relation: str, table: Table | None, purpose: str, name: str, kind: str) -> Column:
    fields = {name_in_release(field, purpose): field for field in table.fields} if table else {}
    field = fields.get(name)
    texts: list[str] = []
    if kind in ("VARCHAR", "BIGINT"):
        long = f"WHERE length(CAST({quoted(name)} AS VARCHAR)) >= 11" if kind == "BIGINT" else ""
        values = engine.arrow(f"SELECT DISTINCT CAST({quoted(name)} AS VARCHAR) AS t FROM {relation} {long}").column(
            "t"
        )
        texts = [each for each in values.to_pylist() if each is not None]
    if field is None:
        return Column(name, texts, declared=name in TIMES and kind == "DATE")
    cells = None
    if field.role == "quasi" and kind == "VARCHAR":
        rows = engine.rows(
            f"SELECT {quoted(name)}, count(DISTINCT subject) FROM {relation} "
            f"WHERE {quoted(name)} IS NOT NULL GROUP BY 1"
        )
        cells = {str(value): int(count) for value, count in rows}
    return Column(name, texts, field.role, field.rule(purpose), field.rule(purpose) != DROP, cells)
