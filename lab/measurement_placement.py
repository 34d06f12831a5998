"""Placing an order for a measurement: a version of the project, and the rows that another order names."""

from __future__ import annotations

from datetime import date

from credit.actor import Actor
from credit.keys import SigningKey
from credit.ledger import Ledger
from credit.seal import Seal
from credit.shelf import OpenedSeal, Shelf
from lab.order_placement import place_order
from lab.projects import Project
from lab.request_placement import seal_request
from models.measuring.request import FILE, MeasurementRequest, order_of_rows
from models.order.order import Order
from models.order.sealed_order import read_sealed_order


def order_to_measure(version: Seal, rows: Order, shelf: Shelf) -> Order:
    """The order of a version about the rows of another order."""
    return order_of_rows(read_sealed_order(shelf.open(version.parents[0])), rows)


def place_measurement(
    version: Seal,
    order: Order,
    project: Project,
    *,
    release: OpenedSeal,
    shelf: Shelf,
    key: SigningKey,
    by: Actor,
    ledger: Ledger,
    today: date,
) -> Seal:
    """Seal the rows as an ORDER, and the measurement of ``version`` on them as another; the same again is the same.

    Raises what :func:`~lab.order_placement.place_order` raises.
    """
    rows = place_order(order, release=release, shelf=shelf, key=key, by=by, ledger=ledger, today=today)
    content = MeasurementRequest(version.id, rows.id).as_json()
    wanted, file = ("measurement", version.id), (FILE, content)
    return seal_request(wanted, file, project, release=release.seal, shelf=shelf, key=key, by=by, ledger=ledger)
