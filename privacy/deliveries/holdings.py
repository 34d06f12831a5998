"""Holdings (归集总览): how many rows of which periods each table has, and which units delivered what, up to when.

Everything is read from the vault's list of files and of deliveries, so a city's holdings are counted in no time.
"""

from __future__ import annotations

from typing import Any

from credit.catalogue import Catalogue
from privacy.deliveries.sequence import received
from privacy.vault import Vault

_LEVELS = {6: "district", 9: "street"}


def holdings(catalogue: Catalogue, vault: Vault) -> dict[str, list[dict[str, Any]]]:
    """``tables`` (rows, first and last period, MiB) and ``units`` (level, deliveries, last number and day, rows)."""
    files = vault.files()
    tables = []
    for name, table in catalogue.tables.items():
        parts = files.of(name)
        years = sorted({part.period for part in parts if part.period.isdigit()})
        size = sum(part.path(vault.folder).stat().st_size for part in parts)
        tables.append(
            {
                "table": name,
                "title": table.title,
                "rows": sum(part.valid_rows for part in parts),
                "first": years[0] if years else "",
                "last": years[-1] if years else "",
                "files": len(parts),
                "mib": round(size / (1 << 20), 1),
            }
        )
    return {"tables": tables, "units": _units(vault)}


def _units(vault: Vault) -> list[dict[str, Any]]:
    units: dict[str, list[dict[str, Any]]] = {}
    for row in sorted(received(vault), key=lambda row: (row["unit"], row["number"])):
        units.setdefault(row["unit"], []).append(row)
    return [_unit(name, rows) for name, rows in units.items()]


def _unit(name: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    first, last = rows[0], rows[-1]
    return {
        "unit": name,
        "level": level_of(name),
        "district": name[:6] if level_of(name) == "street" else "",
        "deliveries": len(rows),
        "last_number": last["number"],
        "last_on": last["on"],
        "missing": last["number"] - first["number"] + 1 - len(rows),
        "rows": sum(row["rows"] for row in rows),
    }


def level_of(unit: str) -> str:
    """The level of a unit by its code: six digits are a district (GB/T 2260), nine a street under it (GB/T 10114)."""
    return _LEVELS.get(len(unit), "city") if unit.isdigit() else "city"
