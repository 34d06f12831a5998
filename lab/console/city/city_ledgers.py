"""The ledgers that the city's requests leave entries in, and the catalogue's words for tables and fields."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from credit.catalogue import Catalogue
from credit.ledger import Ledger
from lab.console.app_state import AppState
from lab.console.ledgers.ledger_view import LedgerView

ZONES = ("desk", "custody", "compute", "platform")
VERBS = ("request.", "step.", "mapping.")


def city_ledgers(app_state: AppState) -> Mapping[str, Ledger]:
    """Each of these ledgers that this machine has, by its zone, as verified entries of requests and mappings."""
    indexes = ((zone, app_state.indexes.get(zone)) for zone in ZONES)
    return {zone: LedgerView.of(index, *VERBS) for zone, index in indexes if index is not None}


@cache
def city_catalogue() -> Catalogue:
    """The city's catalogue."""
    return Catalogue.load("city")


def table_title(name: str) -> str:
    """The Chinese title of a table; the name itself of another catalogue's."""
    table = city_catalogue().tables.get(name)
    return table.title if table else name


def field_title(table: str, name: str) -> str:
    """The Chinese title of a field; the name itself where the catalogue has none."""
    of_table = city_catalogue().tables.get(table)
    return next((each.title for each in of_table.fields if each.name == name), name) if of_table else name
