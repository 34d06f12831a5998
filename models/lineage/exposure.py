"""Who may already know what a column shows: anyone (open), a partner of the subject (market), or no one outside.

It follows from the column's lineage (:mod:`models.lineage.origins`) and the catalogue's 公开属性 of each field. What
the catalogue does not have is refused: a column whose exposure is not known is never released.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from credit.catalogue import Catalogue
from credit.errors import Missing, Refused
from models.lineage.origins import ROWS, Origin, Origins, column_origins

ON_REQUEST, CLOSED_FIELD = "依申请公开", "不公开"


class Exposure(StrEnum):
    """Who may already know a value."""

    OPEN = "open"  # 社会公开, and 依申请公开 unless policy says otherwise: anyone
    MARKET = "market"  # a bank or a trading partner of the subject
    CLOSED = "closed"  # the authority that holds it alone


@dataclass(frozen=True, slots=True)
class ExposedColumn:
    """One column of a query: its exposure, and the tables it derives from."""

    name: str
    exposure: Exposure
    tables: frozenset[str]


def exposed_columns(sql: str, catalogue: Catalogue, *, on_request: str = Exposure.OPEN) -> dict[str, ExposedColumn]:
    """The columns of a checked query by name. Raises :class:`Refused` where lineage or exposure is not known.

    ``on_request`` says how fields that are open on request alone (依申请公开) count. A column that derives from open
    and from other records counts as open: it is made alike in groups, which covers the others too.
    """
    tables = {name: frozenset(each.column for each in table.fields) for name, table in catalogue.tables.items()}
    columns = {}
    for name, origins in column_origins(sql, tables).items():
        exposures = {_exposure(origin, catalogue, on_request) for origin in origins}
        exposure = Exposure.OPEN
        if exposures and Exposure.OPEN not in exposures:
            exposure = Exposure.CLOSED if Exposure.CLOSED in exposures else Exposure.MARKET
        columns[name] = ExposedColumn(name, exposure, tables_of(origins))
    return columns


def tables_of(origins: Origins) -> frozenset[str]:
    """The tables of a lineage."""
    return frozenset(origin.table for origin in origins)


def catalogue_of(terms: Mapping[str, Any]) -> Catalogue:
    """The catalogue that a release was made by; raises :class:`Refused` when its text is another here."""
    named = terms.get("catalogue", {})
    catalogue = Catalogue.load(str(named.get("name", "")))
    if catalogue.version != named.get("version"):
        raise Refused("rows.other-catalogue", name=catalogue.name)
    return catalogue


def _exposure(origin: Origin, catalogue: Catalogue, on_request: str) -> Exposure:
    try:
        table = catalogue.table(origin.table)
        openness = table.openness if origin.column == ROWS else table.field(origin.column).openness
    except Missing as error:
        raise Refused("rows.exposure-unknown", table=origin.table, column=origin.column) from error
    if table.market:
        return Exposure.MARKET
    if openness == ON_REQUEST:
        return Exposure(on_request)
    return Exposure.CLOSED if openness == CLOSED_FIELD else Exposure.OPEN
