"""Credit repair (信用修复): a record ends its publication, sharing and use once the law allows it.

信用修复管理办法 (NDRC Order 36 of 2025): a record of minor dishonesty may be repaired at once, one of general
dishonesty after 3 months of publication, one of serious dishonesty after 1 year, counted from the day of the document.
"""

from __future__ import annotations

from collections.abc import Sequence
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
from credit.ledger import Entry, Ledger
from credit.messages import Text
from privacy import catalogue_roles
from privacy.commitments import KEPT
from privacy.duckdb_engine import engine, quoted, text, texts
from privacy.intake import values
from privacy.intake.intake import intake
from privacy.intake.intake_report import IntakeReport
from privacy.repair_periods import repair_periods
from privacy.vault import Vault


class RepairedAlready(Refused):
    """This record is repaired already."""


def repair(
    document_number: str,
    *,
    catalogue: Catalogue,
    vault: Vault,
    ledger: Ledger,
    by: Actor,
    on: date,
    today: date | None = None,
    subject: str = "",
    table_name: str = "",
) -> IntakeReport:
    """Add a repair of the record with this document number, on the day ``on``, through the checks of the intake.

    One decision may be about several firms: ``subject`` is then the code of the one whose record is repaired, and
    ``table_name`` the table where several have the number. Raises :class:`Missing` when custody has no such record,
    :class:`Malformed` when several have the number, and :class:`Refused` when ``by`` is not an actor of the city, the
    minimum time of publication has not passed, the publication has ended, it is longer than the record's severity
    permits (one of them is then wrong), or the record is repaired already (:class:`RepairedAlready`).
    """
    by.require_role(Role.CITY, act="act.repair-record")
    target = catalogue_roles.repairs_table(catalogue)
    if target is None:
        raise Missing("repair.catalogue-no-table-credit-repairs")
    table, record = _find(document_number, catalogue, vault, subject=subject, table_name=table_name)
    document_number = record[table.repair_document.column] if table.repair_document else document_number
    if record.get("fulfilment") == KEPT:
        raise Refused("repair.commitment-was-kept")
    severity = str(record.get("severity") or ("serious" if "serious" in table.name else "general"))
    assert table.time.happened is not None
    since: date = record[table.time.happened.column]
    periods, ends = repair_periods(), record[table.time.ends.column] if table.time.ends else None
    earliest = periods.earliest(since, severity)
    if on < earliest:
        raise Refused(
            "repair.record-may-not-be-repaired",
            severity=severity,
            least_months=periods.least.get(severity, max(periods.least.values())),
            earliest=earliest,
        )
    if ends is not None and ends <= on:
        raise Refused("repair.publication-has-ended", ends=ends)
    if not periods.fits(since, severity, ends):
        raise Refused("repair.severity-does-not-fit", severity=severity, most_months=periods.most[severity], ends=ends)
    code = str(record[table.subject.column])
    mark = _mark(table.name, document_number, code)
    repaired = {
        "repaired_table": table.name,
        "document_number": document_number,
        "subject_code": code,
        "subject_name": record.get("subject_name") or "—",
        "severity": severity,
        "applied_on": on.isoformat(),
        "repaired_on": on.isoformat(),
        "reached_on": on.isoformat(),
        "repair_number": f"修复-{on:%Y%m%d}-{mark[:12]}",
        "agency": record.get("agency") or target.source,
    }
    details = {"table": table.name, "document": digest(document_number.encode()), "on": on.isoformat()}
    if numbers := _repair_numbers(target, repaired, vault):
        # A run that was killed between the intake and its entry: the entry is made now.
        own = [number for number in numbers if number.startswith("修复-") and number.endswith(mark[:12])]
        if own and not repair_entries(ledger, [f"record-{mark}"]):
            ledger.append("record.repaired", f"record-{mark}", by=by, details=details | {"severity": severity})
        raise RepairedAlready("repair.record-repaired-already")
    with TemporaryDirectory() as folder:
        row = {f.name: pa.array([repaired.get(f.column)], pa.string()) for f in target.fields}
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


def repaired_subjects(
    document_number: str, *, catalogue: Catalogue, vault: Vault, by: date, subject: str = ""
) -> list[str]:
    """The codes of the subjects with a record of this document number that was repaired by a day, or the one of them
    that is named. For custody alone."""
    rows = _repairs(document_number, subject, catalogue, vault)
    return sorted({row["code"] for row in rows if row["repaired_on"] <= by})


def repaired_records(
    document_number: str, *, catalogue: Catalogue, vault: Vault, subject: str = ""
) -> list[tuple[str, ...]]:
    """The names under which custody's ledger may have each repaired record of this document number."""
    rows = _repairs(document_number, subject, catalogue, vault)
    records = sorted({(row["repaired_table"], row["document_number"], row["code"]) for row in rows})
    return [(f"record-{_mark(*record)}", f"record-{_mark(*record[:2])}") for record in records]


def repair_entries(ledger: Ledger, names: Sequence[str]) -> list[Entry]:
    """The entries of the repairs of a record that the ledger has under any of these names."""
    return [entry for name in names for entry in ledger.about(name) if entry.verb == "record.repaired"]


def _repairs(document_number: str, subject: str, catalogue: Catalogue, vault: Vault) -> list[dict[str, Any]]:
    table = catalogue_roles.repairs_table(catalogue)
    if table is None or table.name not in vault.names():
        return []
    columns = ["document_number", "repaired_table", "repaired_on", table.subject.column]
    rows = vault.read(table.name, columns).rename_columns([*columns[:3], "code"]).to_pylist()
    wanted, code = {document_number, values.document_number(document_number)}, subject.strip().upper()
    return [row for row in rows if row["document_number"] in wanted and (not code or row["code"] == code)]


def _mark(*record: str) -> str:
    """The name of a record in the ledger: of its table, document number and subject; before 2026-12 without subject."""
    return digest("\x1f".join(record).encode())


def _by_name_only(catalogue: Catalogue, target: Table, name: str) -> Catalogue:
    """The same catalogue, in which the file of this name belongs to the table of repairs."""
    from dataclasses import replace

    tables = dict(catalogue.tables) | {target.name: replace(target, files=(name,))}
    return replace(catalogue, tables=tables)


def _find(
    document: str, catalogue: Catalogue, vault: Vault, *, subject: str, table_name: str
) -> tuple[Table, dict[str, Any]]:
    matches: list[tuple[Table, dict[str, Any]]] = []
    with engine() as run:
        for table in catalogue.tables.values():
            if table.repair_document is None or table.name not in vault.names() or table_name not in ("", table.name):
                continue
            run.register("stored", vault.batches(table.name))
            where = f"{quoted(table.repair_document.column)} IN ({texts([document, values.document_number(document)])})"
            if subject:
                where += f" AND {quoted(table.subject.column)} = {text(subject.strip().upper())}"
            matches += [(table, row) for row in run.arrow(f"SELECT * FROM stored WHERE {where}").to_pylist()]
            run.unregister("stored")
    if not matches:
        raise Missing("repair.no-record-document-number-held")
    if len(matches) > 1:
        names = ", ".join(sorted({table.name for table, _ in matches}))
        firms = len({row[table.subject.column] for table, row in matches})
        raise Malformed("repair.several-records-document-number", names=names, count=len(matches), firms=firms)
    return matches[0]


def _repair_numbers(target: Table, repaired: dict[str, Any], vault: Vault) -> list[str]:
    """The numbers of the repairs of this record that are stored; none while it is not repaired."""
    if target.name not in vault.names():
        return []
    names = ["repaired_table", "document_number", "subject_code"]
    repairs = vault.read(target.name, [*names, "repair_number"]).to_pylist()
    return [str(row["repair_number"]) for row in repairs if all(row[name] == repaired[name] for name in names)]
