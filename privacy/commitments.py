"""Credit commitments (信用承诺) as a whole: due, checked, kept, broken, and the consequences of the broken ones.

The duty follows GB/T 46277-2025 (信用承诺实施指南): the agency that accepts a commitment checks it, and a broken one
has a consequence (违诺责任追究). A broken commitment may be repaired; from then on it counts as repaired.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from credit.catalogue import Catalogue
from credit.errors import Missing
from privacy.catalogue_roles import repairs_table
from privacy.duckdb_engine import Engine, Limits, engine, text
from privacy.vault import Vault

TABLE, KEPT = "credit_commitment", "全部履行"
_COLUMNS = ["commitment_code", "committed_on", "valid_until", "fulfilment", "sanction", "confirmed_on", "agency"]


@dataclass(frozen=True, slots=True)
class AgencyCommitments:
    """The commitments that one agency accepted, as numbers; an empty name is all agencies.

    ``due`` have reached their end or were checked before it, ``overdue`` are due and were not checked, ``measured``
    are broken ones with a consequence, ``repaired`` broken ones whose use has ended.
    """

    agency: str
    made: int
    due: int
    checked: int
    kept: int
    broken: int
    measured: int
    repaired: int

    @property
    def overdue(self) -> int:
        """Due, and not checked."""
        return self.due - self.checked

    def as_json(self) -> dict[str, Any]:
        """The numbers, and the rates in [0, 1]: checked of the due, kept of the checked, repaired of the broken."""
        counts = {name: getattr(self, name) for name in (*self.__slots__, "overdue")}
        rates = {
            "checking_rate": _rate(self.checked, self.due),
            "keeping_rate": _rate(self.kept, self.checked),
            "repair_rate": _rate(self.repaired, self.broken),
        }
        return counts | rates


def commitments(
    *, catalogue: Catalogue, vault: Vault, today: date, limits: Limits | None = None
) -> list[AgencyCommitments]:
    """The commitments of all agencies together, then of each one by name. Raises :class:`Missing` without the table."""
    with engine(limits) as run:
        _register(run, catalogue, vault, today)
        rows = run.rows("""
            SELECT coalesce(agency, '') AS agency, count(*), count(*) FILTER (WHERE due OR checked),
                count(*) FILTER (WHERE checked), count(*) FILTER (WHERE checked AND kept),
                count(*) FILTER (WHERE checked AND NOT kept), count(*) FILTER (WHERE checked AND NOT kept AND measured),
                count(*) FILTER (WHERE checked AND NOT kept AND repaired), grouping(agency) AS whole
            FROM commitments GROUP BY GROUPING SETS ((), (agency)) ORDER BY whole DESC, agency""")
    return [AgencyCommitments(*row[:-1]) for row in rows]


def commitments_to_check(
    days: int, *, catalogue: Catalogue, vault: Vault, today: date, limits: Limits | None = None
) -> list[dict[str, Any]]:
    """The commitments that are not checked yet and are due within ``days``, the earliest first.

    Each has its code, its agency and its end; the code names no subject, and the list is for the city team alone.
    """
    until = text((today + timedelta(days)).isoformat())
    with engine(limits) as run:
        _register(run, catalogue, vault, today)
        rows = run.rows(
            "SELECT commitment_code, agency, valid_until, due FROM commitments "
            f"WHERE NOT checked AND valid_until <= DATE {until} ORDER BY valid_until, commitment_code"
        )
    return [
        {"commitment": code, "agency": agency, "ends": end.isoformat(), "overdue": due}
        for code, agency, end, due in rows
    ]


def _register(run: Engine, catalogue: Catalogue, vault: Vault, today: date) -> None:
    """Create ``commitments``: one row each that was made by today, with its result."""
    if TABLE not in catalogue.tables or TABLE not in vault.names():
        raise Missing("commitments.no-table")
    run.register("stored_commitments", vault.read(TABLE, _COLUMNS))
    run.execute("CREATE TEMP TABLE repaired_commitments (code VARCHAR)")
    repairs = repairs_table(catalogue)
    if repairs is not None and repairs.name in vault.names():
        run.register("stored_repairs", vault.read(repairs.name, ["repaired_table", "document_number", "repaired_on"]))
        run.execute(
            "INSERT INTO repaired_commitments SELECT DISTINCT document_number FROM stored_repairs "
            f"WHERE repaired_table = {text(TABLE)} AND repaired_on <= DATE {text(today.isoformat())}"
        )
    day = f"DATE {text(today.isoformat())}"
    run.execute(f"""
        CREATE TEMP TABLE commitments AS SELECT commitment_code, agency, valid_until,
            coalesce(valid_until <= {day}, false) AS due, coalesce(confirmed_on <= {day}, false) AS checked,
            fulfilment = {text(KEPT)} AS kept, sanction IS NOT NULL AS measured,
            commitment_code IN (SELECT code FROM repaired_commitments) AS repaired
        FROM stored_commitments WHERE committed_on <= {day}""")


def _rate(part: int, whole: int) -> float | None:
    return round(part / whole, 6) if whole else None
