"""Placing an order (下单): the order of a notebook is data, checked against its release and sealed."""

from __future__ import annotations

from datetime import date

from credit.actor import Actor
from credit.canonical import canonical
from credit.errors import Malformed, Refused
from credit.keys import SigningKey
from credit.ledger import Ledger
from credit.seal import Kind, Seal
from credit.shelf import OpenedSeal, Shelf
from credit.usage_rights import TRAINING_USE, require_use
from lab.order_texts import require_plain_texts
from models.features.feature_sql import check_order, order_rights, written_order
from models.order.order import FILE, Order


def place_order(
    order: Order,
    *,
    release: OpenedSeal,
    shelf: Shelf,
    key: SigningKey,
    by: Actor,
    ledger: Ledger,
    today: date | None = None,
) -> Seal:
    """Seal an order on a research release; the same order on the same release is the same seal.

    Raises :class:`Refused` for a release of another purpose, :class:`~credit.errors.Lapsed` for one that has expired on
    ``today`` (default: the real day), or when the right of a table that it reads permits no training, and
    :class:`Malformed` when tables, SQL or label do not fit it. The SQL
    that is sealed is the parsed text written out again, without comments.
    """
    seal = release.seal
    if seal.kind is not Kind.RELEASE:
        raise Malformed("order-placement.order-needs-release", seal_short=seal.short, kind=seal.kind.text)
    if seal.terms.get("purpose") != "research":
        raise Refused(
            "order-placement.release-not-for-training", seal_short=seal.short, terms=seal.terms.get("purpose")
        )
    seal.require_not_expired(today or date.today())
    order = written_order(order, seal.terms)
    require_plain_texts(order)
    require_use(order_rights(order, seal.terms), TRAINING_USE)
    query = check_order(order, seal.terms)
    terms = {
        "model": order.model,
        "title": order.title,
        "release": seal.id,
        "reads": {table: sorted(columns) for table, columns in sorted(query.tables.items())},
        "invented": bool(seal.terms.get("invented", False)),
    }
    with shelf.staging() as folder:
        (folder / FILE).write_bytes(canonical(order.as_json()))
        placed = shelf.put(
            folder, Kind.ORDER, parents=(seal.id,), terms=terms, expires_on=seal.expires_on, by=by, key=key
        )
    ledger.append("order.placed", placed.id, by=by, details={"release": seal.id, "model": order.model})
    return placed
