"""The sample that an order is answered for, once it was judged beside all that was answered before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from credit.errors import Refused
from models.dataset.order_sets import AnsweredOrders, PlacedOrder, with_label
from models.dataset.sample import Sample
from models.order.order import Order
from models.privacy.floors import load_floors


def counted_sample(
    order: Order, observed: Callable[[Order], Sample], placed: PlacedOrder, answered: AnsweredOrders
) -> tuple[Order, Sample, dict[str, Any]]:
    """The order that is answered, its sample, and what the evidence says when it is not the one that was placed.

    Raises :class:`Refused` for an order that differs in a few subjects from what was answered before.
    """
    observations = observed(order)
    if (near := answered.count(order, observations, placed)) is None:
        return order, observations, {}
    order = with_label(order, near["label"])
    observations = observed(order)
    if answered.count(order, observations, placed) is not None:
        raise Refused("order-sets.too-near", least=load_floors().order_difference)
    return order, observations, {"answered_for": dict(near)}
