"""Opening a sealed order: the declaration that it holds, and the release that it was placed on."""

from __future__ import annotations

import json
from datetime import date

from credit.errors import Broken, Malformed
from credit.messages import Text
from credit.seal import Kind
from credit.shelf import OpenedSeal, Shelf
from models.order.order import FILE, Order


def read_sealed_order(sealed: OpenedSeal) -> Order:
    """The order in an opened seal; raises :class:`Broken` when its file is missing or not JSON."""
    try:
        data = json.loads((sealed.path / FILE).read_bytes())
    except (OSError, ValueError) as error:
        raise Broken("order.sealed-order-cannot-be-read", why=Text.verbatim(type(error).__name__)) from error
    return Order.parse(data)


def open_order(order_seal: OpenedSeal, shelf: Shelf, *, today: date | None = None) -> tuple[Order, OpenedSeal]:
    """The order as declared, and its opened release.

    Raises :class:`Malformed` when the seal is not an ORDER with one parent, and :class:`~credit.errors.Lapsed` when the
    release has ended by ``today``.
    """
    if order_seal.seal.kind is not Kind.ORDER or len(order_seal.seal.parents) != 1:
        raise Malformed("pipeline.not-order", kind=order_seal.seal.kind.text)
    return read_sealed_order(order_seal), shelf.open(order_seal.seal.parents[0], today=today)
