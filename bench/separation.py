"""The matrix of separation: role, state, person and time, in every order of events, against slow plain models.

Parcels, promotions, accounts and every other change that takes two people, mandates among them: the code that decides
is tried on each order, and a model that is too plain to be wrong decides the same orders.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from bench.record import record
from credit.keys import KeyRing, SigningKey
from credit.shelf import Shelf
from tests.credit import confirmation_orders
from tests.lab.accounts import change_orders
from tests.lab.airlock.review import separation_orders
from tests.models.promotion import judge_orders

DEPTHS = {"parcels": 4, "promotions": 3, "accounts": 3, "confirmations": 3}  # events an order has at most


def separation_matrix_tried() -> None:
    """How many orders of events were tried, in all and by part."""
    tried = {part: tried for part, (tried, _) in _matrix().items()}
    record("separation_matrix_tried", sum(tried.values()), "orders", data="every order", more={"parts": tried})


def separation_matrix_failed() -> None:
    """In how many of them the code decided otherwise than the plain model."""
    failed = {part: failed for part, (_, failed) in _matrix().items()}
    record(
        "separation_matrix_failed", sum(failed.values()), "orders", goal=0, data="every order", more={"parts": failed}
    )


@cache
def _matrix() -> dict[str, tuple[int, int]]:
    """Part -> orders tried, and orders in which the code and the model differ."""
    return {part: _count(part, depth) for part, depth in DEPTHS.items()}


def _count(part: str, depth: int) -> tuple[int, int]:
    tried = failed = 0
    for order, difference in _differences(part, depth):
        tried += 1
        failed += bool(difference)
        if difference:
            print(f"{part} {' · '.join(order)}: {difference}", flush=True)
    return tried, failed


def _differences(part: str, depth: int) -> Iterator[tuple[tuple[str, ...], str]]:
    if part == "parcels":
        yield from separation_orders.differences(depth)
    elif part == "accounts":
        yield from change_orders.differences(depth)
    elif part == "confirmations":
        yield from confirmation_orders.differences(depth)
    else:
        with tempfile.TemporaryDirectory() as folder:
            keys = {zone: SigningKey.create(Path(folder), zone) for zone in ("research", "compute")}
            shelf = Shelf(Path(folder) / "shelf", KeyRing.of(*keys.values()))
            yield from judge_orders.differences(judge_orders.version_of_an_order(shelf, keys), shelf, depth)
