"""Credit repair (信用修复): a record leaves publication, sharing and use once the law allows it.

NDRC Order 36 of 2025: a record of minor dishonesty may be repaired at once, one of general dishonesty when 3 months,
one of serious dishonesty when 1 year of publication have passed, counted from the day of the document.
"""

from __future__ import annotations

import calendar
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from credit.actor import Actor, Role
from credit.canonical import digest
from credit.catalogue import Catalogue, Table
from credit.errors import Malformed, Missing, Refused
from credit.ledger import Ledger
from privacy import catalogue_roles
from privacy.duckdb_engine import engine, quoted, text
from privacy.intake.intake import intake
from privacy.intake.intake_report import IntakeReport
from privacy.vault import Vault


class RepairedAlready(Refused):
    """The repair of this record is held."""


LEAST_MONTHS = {"minor": 0, "general": 3, "serious": 12}


def repair(
    document_number: str,
    *,
    catalogue: Catalogue,
    vault: Vault,
    ledger: Ledger,
    by: Actor,
    on: date,
    today: date | None = None,
) -> IntakeReport:
    """Add a repair of the record with this document number, as of the day ``on``, through the checks of the intake.

    Raises :class:`Missing` when no such record is held, :class:`Malformed` when several tables have one, and
    :class:`Refused` when ``by`` is not of the city's departments, the least time of publication has not passed or the
    record is repaired already (:class:`RepairedAlready`).
    """
    by.require_role(Role.CITY, act="act.repair-record")
    target = catalogue_roles.repairs(catalogue)
    if target is None:
        raise Missing("repair.catalogue-no-table-credit-repairs")
    table, record = _find(document_number, catalogue, vault)
    severity = str(record.get("severity") or ("serious" if "serious" in table.name else "general"))
    assert table.time.happened is not None
    since: date = record[table.time.happened.column]
    earliest = _months_after(since, LEAST_MONTHS.get(severity, LEAST_MONTHS["serious"]))
    if on < earliest:
        raise Refused(
            "repair.record-may-not-be-repaired",
            severity=severity,
            least_months=LEAST_MONTHS[severity],
            earliest=earliest,
        )
    mark = digest(f"{table.name}\x1f{document_number}".encode())
    values = {
        "repaired_table": table.name,
        "document_number": document_number,
        "subject_code": record[table.subject.column],
        "subject_name": record.get("subject_name") or "—",
        "severity": severity,
        "applied_on": on.isoformat(),
        "repaired_on": on.isoformat(),
        "reached_on": on.isoformat(),
        "repair_number": f"修复-{on:%Y%m%d}-{mark[:12]}",
        "agency": record.get("agency") or target.source,
    }
    if _is_repaired(target, values, vault):
        why, remedy = "its repair is held", "Take it out of what is answered with `haihe withdraw`"
        raise RepairedAlready("repair.record-repaired-already", why=why, remedy=remedy)
    with TemporaryDirectory() as folder:
        row = {f.name: pa.array([values.get(f.column)], pa.string()) for f in target.fields}
        path = Path(folder) / target.files[0].replace("*", "_by_hand").replace(".csv", ".parquet")
        pq.write_table(pa.table(row), path)
        told = _by_name_only(catalogue, target, path.name)
        report = intake(path, catalogue=told, vault=vault, ledger=ledger, by=by, today=max(on, today or on))
    if report.kept != 1:
        reasons = "; ".join(report.tables[target.name].reasons) or "nothing was added"
        raise Malformed("repair.repair-did-not-pass-checks", why=reasons)
    details = {"table": table.name, "document": digest(document_number.encode()), "on": on.isoformat()}
    ledger.append("record.repaired", f"record-{mark}", by=by, details=details | {"severity": severity})
    return report


def repaired_subjects(document_number: str, *, catalogue: Catalogue, vault: Vault, by: date) -> list[str]:
    """The codes of the subjects of whom a record of this number is repaired by a day; custody's own."""
    table = catalogue_roles.repairs(catalogue)
    if table is None or table.name not in vault.names():
        return []
    code = table.subject.column
    held = vault.read(table.name, ["document_number", "repaired_on", code]).to_pylist()
    return sorted({r[code] for r in held if r["document_number"] == document_number and r["repaired_on"] <= by})


def _by_name_only(catalogue: Catalogue, target: Table, name: str) -> Catalogue:
    """The same catalogue, in which our one-row file is of the repairs' table whatever its ending."""
    from dataclasses import replace

    tables = dict(catalogue.tables) | {target.name: replace(target, files=(name,))}
    return replace(catalogue, tables=tables)


def _find(document: str, catalogue: Catalogue, vault: Vault) -> tuple[Table, dict[str, Any]]:
    found: list[tuple[Table, dict[str, Any]]] = []
    with engine() as run:
        for table in catalogue.tables.values():
            if table.repair_document is None or table.name not in vault.names():
                continue
            run.lend("held", vault.read(table.name))
            where = f"WHERE {quoted(table.repair_document.column)} = {text(document)}"
            found += [(table, row) for row in run.arrow(f"SELECT * FROM held {where}").to_pylist()]
            run.take_back("held")
    if not found:
        raise Missing("repair.no-record-document-number-held")
    if len(found) > 1:
        names = ", ".join(sorted({table.name for table, _ in found}))
        raise Malformed("repair.several-records-document-number", names=names)
    return found[0]


def _is_repaired(target: Table, values: dict[str, Any], vault: Vault) -> bool:
    if target.name not in vault.names():
        return False
    held = vault.read(target.name).select(["repaired_table", "document_number", "subject_code"]).to_pylist()
    return any(all(row[name] == values[name] for name in row) for row in held)


def _months_after(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))
