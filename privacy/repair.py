"""Credit repair (信用修复): a record ends its publication, sharing and use once the law allows it.

信用修复管理办法 (NDRC Order 36 of 2025): a record of minor dishonesty may be repaired at once, one of general
dishonesty after 3 months of publication, one of serious dishonesty after 1 year, counted from the day of the document.
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
from credit.messages import Text
from privacy import catalogue_roles
from privacy.duckdb_engine import engine, quoted, text
from privacy.intake.intake import intake
from privacy.intake.intake_report import IntakeReport
from privacy.vault import Vault


class RepairedAlready(Refused):
    """This record is repaired already."""


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
    """Add a repair of the record with this document number, on the day ``on``, through the checks of the intake.

    Raises :class:`Missing` when custody has no such record, :class:`Malformed` when several tables have one, and
    :class:`Refused` when ``by`` is not an actor of the city, the minimum time of publication has not passed, or the
    record is repaired already (:class:`RepairedAlready`).
    """
    by.require_role(Role.CITY, act="act.repair-record")
    target = catalogue_roles.repairs_table(catalogue)
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
    mark = _mark(table.name, document_number)
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
    details = {"table": table.name, "document": digest(document_number.encode()), "on": on.isoformat()}
    if numbers := _repair_numbers(target, values, vault):
        # A run that was killed between the intake and its entry: the entry is made now.
        own = [number for number in numbers if number.startswith("修复-") and number.endswith(mark[:12])]
        if own and not any(entry.verb == "record.repaired" for entry in ledger.about(f"record-{mark}")):
            ledger.append("record.repaired", f"record-{mark}", by=by, details=details | {"severity": severity})
        raise RepairedAlready("repair.record-repaired-already")
    with TemporaryDirectory() as folder:
        row = {f.name: pa.array([values.get(f.column)], pa.string()) for f in target.fields}
        path = Path(folder) / target.files[0].replace("*", "_by_hand").replace(".csv", ".parquet")
        pq.write_table(pa.table(row), path)
        renamed = _by_name_only(catalogue, target, path.name)
        day = max(on, today or on)
        report = intake(path, catalogue=renamed, vault=vault, ledger=ledger, by=by, today=day, of_repair=True)
    if report.kept != 1:
        reasons = "; ".join(report.tables[target.name].reasons)
        why = Text.verbatim(reasons) if reasons else Text.of("repair.nothing-added")
        raise Malformed("repair.repair-did-not-pass-checks", why=why)
    ledger.append("record.repaired", f"record-{mark}", by=by, details=details | {"severity": severity})
    return report


def repaired_subjects(document_number: str, *, catalogue: Catalogue, vault: Vault, by: date) -> list[str]:
    """The codes of the subjects with a record of this document number that was repaired by a day. For custody alone."""
    table = catalogue_roles.repairs_table(catalogue)
    if table is None or table.name not in vault.names():
        return []
    code = table.subject.column
    repairs = vault.read(table.name, ["document_number", "repaired_on", code]).to_pylist()
    return sorted({r[code] for r in repairs if r["document_number"] == document_number and r["repaired_on"] <= by})


def repaired_records(document_number: str, *, catalogue: Catalogue, vault: Vault) -> list[str]:
    """The names under which custody's ledger has the repaired records of this document number."""
    table = catalogue_roles.repairs_table(catalogue)
    if table is None or table.name not in vault.names():
        return []
    repairs = vault.read(table.name, ["document_number", "repaired_table"]).to_pylist()
    tables = {row["repaired_table"] for row in repairs if row["document_number"] == document_number}
    return [f"record-{_mark(name, document_number)}" for name in sorted(tables)]


def _mark(table: str, document_number: str) -> str:
    return digest(f"{table}\x1f{document_number}".encode())


def _by_name_only(catalogue: Catalogue, target: Table, name: str) -> Catalogue:
    """The same catalogue, in which the file of this name belongs to the table of repairs."""
    from dataclasses import replace

    tables = dict(catalogue.tables) | {target.name: replace(target, files=(name,))}
    return replace(catalogue, tables=tables)


def _find(document: str, catalogue: Catalogue, vault: Vault) -> tuple[Table, dict[str, Any]]:
    matches: list[tuple[Table, dict[str, Any]]] = []
    with engine() as run:
        for table in catalogue.tables.values():
            if table.repair_document is None or table.name not in vault.names():
                continue
            run.register("stored", vault.read(table.name))
            where = f"WHERE {quoted(table.repair_document.column)} = {text(document)}"
            matches += [(table, row) for row in run.arrow(f"SELECT * FROM stored {where}").to_pylist()]
            run.unregister("stored")
    if not matches:
        raise Missing("repair.no-record-document-number-held")
    if len(matches) > 1:
        names = ", ".join(sorted({table.name for table, _ in matches}))
        raise Malformed("repair.several-records-document-number", names=names)
    return matches[0]


def _repair_numbers(target: Table, values: dict[str, Any], vault: Vault) -> list[str]:
    """The numbers of the repairs of this record that are stored; none while it is not repaired."""
    if target.name not in vault.names():
        return []
    names = ["repaired_table", "document_number", "subject_code"]
    repairs = vault.read(target.name).select([*names, "repair_number"]).to_pylist()
    return [str(row["repair_number"]) for row in repairs if all(row[name] == values[name] for name in names)]


def _months_after(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))
