"""A request for a measurement (度量申请), as data, read strictly: a version, and the ORDER that names the rows.

::

    {"version": "version-…", "order": "order-…"}

The ORDER has the features and the SQL of the version, and the subjects, days, outcome and split to measure it on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from models.order.order import Order
from models.order.parsing import DeclarationSection

FILE = "measurement.json"  # in the ORDER that asks for a measurement
_KEYS = ("version", "order")


@dataclass(frozen=True, slots=True)
class MeasurementRequest:
    """A whole request: the ids of two seals."""

    version: str
    order: str

    def as_json(self) -> dict[str, Any]:
        """The request as plain values; :meth:`parse` gives it back."""
        return asdict(self)

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> MeasurementRequest:
        """Read plain values; raises :class:`Malformed` with the key that is wrong."""
        section = DeclarationSection.of(data, "measurement", known=_KEYS)
        return cls(section.text("version"), section.text("order"))


def order_of_rows(own: Order, rows: Order) -> Order:
    """The order of a version (``own``), about the subjects, days, outcome and split of another one."""
    return replace(
        own,
        subject_kind=rows.subject_kind,
        population=rows.population,
        label=rows.label,
        observe=rows.observe,
        split=rows.split,
    )
