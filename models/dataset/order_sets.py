"""Orders beside all that was answered before (已答复的订单与表): none may isolate a few subjects by subtraction.

Where two answers differ in one subject, the difference of two figures is that subject's. So an order's evidence is
judged as a table is: against every table and every order of the same author or project, by pairs, unions of cells and
chains of three. The same question on another release is let through: what changed in the records between the two was
not chosen by the author.

An order whose label alone differs, and in a few subjects only, is answered for the earlier order's label, and its
evidence says so. Any other order that is too near is refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from credit.actor import Actor
from credit.canonical import digest_json
from credit.errors import Malformed, Refused
from credit.ledger import Ledger
from models.dataset.order_units import order_contents, require_floor, units_that_differ
from models.order.order import Order
from models.privacy.floors import PrivacyFloors, load_floors
from models.settings import ComputeSettings
from models.tables.cells.contents import CellContents
from models.tables.differencing.isolation import EarlierUnits, isolations
from models.tables.given_units import CONTENTS, COUNTED, PROJECT, Given, GivenUnits

if TYPE_CHECKING:
    from models.dataset.sample import Sample

QUESTION, RELEASE, ORDER, DECLARED = "question", "release", "order", "declared"  # of an entry's details
_OF_QUESTION = ("subject_kind", "population", "label", "observe", "split")


@dataclass(frozen=True, slots=True)
class PlacedOrder:
    """An order to be judged: its id, the release, who placed it and for which project."""

    id: str
    release: str
    by: Actor
    project: str = ""


@dataclass(frozen=True, slots=True)
class AnsweredOrders:
    """The history of what was given, as orders are judged by it."""

    given: GivenUnits

    def count(self, order: Order, sample: Sample, placed: PlacedOrder) -> Mapping[str, Any] | None:
        """Enter the subjects of an order in the history; None. Or the earlier order that it is to be answered for,
        as ``{order, label}``, when nothing was entered.

        Raises :class:`Refused` for an order about too few subjects, and for one that isolates a few subjects beside
        what was given before; :class:`~credit.errors.Broken` when some of that is missing or changed.
        """
        floors = load_floors()
        with self.given.alone():
            contents = order_contents(sample, self.given.key())
            require_floor(contents, floors)
            declared = _declared(order)
            question = digest_json(declared)
            subjects = np.asarray(sample.subjects, dtype=np.object_)
            earlier = [
                each
                for each in self.given.of(placed.by.name, placed.project, subjects)
                if not _is_same_on_another_release(each, question, placed.release)
            ]
            units = EarlierUnits([each.contents for each in earlier], contents)
            if any(each.with_earlier for each in isolations(contents, units, floors.order_difference)):
                if near := _honest_answer(earlier, contents, declared, placed, floors):
                    return near
                raise Refused("order-sets.too-near", least=floors.order_difference)
            details = {
                CONTENTS: self.given.keep(contents),
                QUESTION: question,
                DECLARED: declared,
                RELEASE: placed.release,
                PROJECT: placed.project,
                ORDER: placed.id,
            }
            if not any(each.verb == COUNTED and dict(each.details) == details for each in earlier):
                self.given.ledger.append(COUNTED, placed.id, by=placed.by, details=details)
        return None


def given_units(settings: ComputeSettings, ledger: Ledger) -> GivenUnits:
    """The history of compute's zone; raises :class:`Malformed` when the settings do not name its folders."""
    named = {"TABLES": settings.tables, "PARTITIONS": settings.partitions}
    if missing := next((name for name, value in named.items() if value is None), ""):
        raise Malformed("worker-loop.setting-missing", prefix="HAIHE_COMPUTE_", missing=missing)
    assert settings.tables is not None
    assert settings.partitions is not None
    return GivenUnits(settings.tables, ledger, settings.partitions / "orders")


def with_label(order: Order, label: Mapping[str, Any]) -> Order:
    """The order with another label (as JSON): that of the order it is answered for."""
    return replace(order, label=Order.parse(order.as_json() | {"label": label}).label)


def question_of(order: Order) -> str:
    """The digest of what an order asks of its subjects, whatever the features."""
    return digest_json(_declared(order))


def _declared(order: Order) -> dict[str, Any]:
    declared = order.as_json()
    # Without a register, every subject with a row in one of the tables is observed.
    names = _OF_QUESTION if order.population else (*_OF_QUESTION, "tables")
    question: dict[str, Any] = json.loads(json.dumps({name: declared[name] for name in names}))
    return question


def _is_same_on_another_release(given: Given, question: str, release: str) -> bool:
    return given.details.get(QUESTION) == question and given.details.get(RELEASE) != release


def _honest_answer(
    earlier: list[Given],
    contents: CellContents,
    declared: Mapping[str, Any],
    placed: PlacedOrder,
    floors: PrivacyFloors,
) -> dict[str, Any]:
    """The earliest order on this release that differs in its label only, and in a few subjects; empty without one."""
    for each in earlier:
        if each.verb != COUNTED or each.details[RELEASE] != placed.release:
            continue
        before = dict(each.details[DECLARED])
        label = dict(before["label"])
        others_equal = before | {"label": None} == {**declared, "label": None}
        if not others_equal or label["table"] != declared["label"]["table"]:
            continue
        if units_that_differ(contents, each.contents) < floors.order_difference:
            return {"order": each.details[ORDER], "label": label}
    return {}
