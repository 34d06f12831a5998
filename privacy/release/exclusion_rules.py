"""Which raw records may leave custody on a day: repaired, disputed, ended and not yet known records may not.

信用修复管理办法 (NDRC Order 36 of 2025) art. 3: a repaired record is no longer shared or used.
"""

from __future__ import annotations

from datetime import date

from credit.catalogue import Catalogue, Table
from credit.fields import INQUIRY, NEVER_DISCLOSED, Field
from privacy import catalogue_roles
from privacy.duckdb_engine import Engine, quoted, text
from privacy.intake.uscc_sql import of_kinds
from privacy.vault import Vault


def register_repairs(engine: Engine, catalogue: Catalogue, vault: Vault, *, as_of: date) -> None:
    """Create the relation ``repaired(held, document, subject)``: the records repaired by ``as_of`` (held: table)."""
    engine.execute("CREATE TEMP TABLE repaired (held VARCHAR, document VARCHAR, subject VARCHAR)")
    table = catalogue_roles.repairs_table(catalogue)
    if table is None or table.name not in vault.names():
        return
    columns = ["repaired_table", "document_number", table.subject.column, "repaired_on"]
    engine.register("all_repairs", vault.batches(table.name, columns))
    engine.execute(
        f"INSERT INTO repaired SELECT DISTINCT repaired_table, document_number, {quoted(table.subject.column)} "
        f"FROM all_repairs WHERE repaired_on <= DATE {text(as_of.isoformat())}"
    )
    engine.unregister("all_repairs")


def exclusion_reason(table: Table, *, as_of: date, purpose: str) -> str:
    """SQL over a raw row ``t``: why it may not leave (repaired, disputed, ended, undated, later), or NULL when it may.

    A record whose publication has ended stays in a research release: its use was lawful on an earlier day, and an as-of
    view shows it for such days only. Releases for scoring and inquiry describe the day itself and leave it out. A
    record of a subject that has an archive alone (机关, 事业单位, 社会组织, 合作社: 档案可查，不评分) is in a release
    for inquiry and in no other.

    A release for inquiry also leaves out a record that its own scope closes, and one of minor dishonesty (NDRC Order 36
    of 2025: 轻微失信信息 is in principle not published). Of the tables of special reports (信用代证) it has both: there
    the service shows them to the subject's own request alone.
    """
    day = f"DATE {text(as_of.isoformat())}"
    cases: list[tuple[str, str]] = []
    if table.repair_document:
        document, subject = quoted(table.repair_document.column), quoted(table.subject.column)
        key = f"SELECT document, subject FROM repaired WHERE held = {text(table.name)}"
        cases.append(("repaired", f"(t.{document}, t.{subject}) IN ({key})"))
    if field := catalogue_roles.state_field(table):
        valid = text(field.enum[0] if field.enum else "normal")
        cases.append(("disputed", f"t.{quoted(field.column)} <> {valid}"))
    is_shown_by_rule = purpose == INQUIRY and in_certificates(table)
    if purpose in ("scoring", INQUIRY) and not is_shown_by_rule and (ends := table.time.ends):
        cases.append(("ended", f"t.{quoted(ends.column)} <= {day}"))
    if purpose == INQUIRY and (scope := table.scope):
        cases.append(("withheld", f"t.{quoted(scope.column)} IN {NEVER_DISCLOSED}"))
    if purpose == INQUIRY and not is_shown_by_rule and table.repair_document and _severity(table):
        cases.append(("minor", "t.severity = 'minor'"))
    if purpose != INQUIRY and table.archives:
        kinds = of_kinds(f"t.{quoted(table.subject.column)}", table.subjects)
        cases.append(("archive", f"NOT {kinds}"))
    if happened := table.time.happened:
        cases.append(("undated", f"t.{quoted(happened.column)} IS NULL"))
        known = f"t.{quoted(table.time.known.column)}" if table.time.known else "NULL"
        cases.append(("later", f"greatest(t.{quoted(happened.column)}, {known}) > {day}"))
    return f"CASE {' '.join(f'WHEN {bad} THEN {text(why)}' for why, bad in cases)} END" if cases else "NULL"


def in_certificates(table: Table) -> bool:
    """Whether a release for inquiry has the minor and ended records of a table, for special reports (信用代证).

    Only where the release also has the columns by which the service shows them to no other request.
    """
    severity = _severity(table)
    return table.certificate and (severity is None or severity.rule(INQUIRY) == "keep")


def _severity(table: Table) -> Field | None:
    return next((field for field in table.fields if field.column == "severity"), None)
