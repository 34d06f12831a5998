"""Versions of the shelf for the airlock (模型查找): their files, who ordered them, and what is in production."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from credit.errors import CreditError
from credit.ledger.entry import Entry
from credit.messages import Text
from credit.order_requests import TRAINING
from credit.seal import Kind
from credit.shelf import OpenedSeal, Shelf
from credit.versions import champion_of
from lab.airlock.copies.copying import copy_of
from lab.airlock.copies.sealed_model import SealedModel
from lab.airlock.issue import Issue, fail
from lab.airlock.kinds.models.model_copy import ModelCopy, ModelFigures
from lab.airlock.thresholds import Thresholds


@dataclass(frozen=True, slots=True)
class ShelfModels:
    """The valid versions of a shelf on a day; ``orders`` are those that the project requested."""

    shelf: Shelf
    today: date
    orders: frozenset[str] = frozenset()

    def find(self, name: str, t: Thresholds) -> ModelCopy | Issue:
        """The copy of the version with this id, or of the newest of this order; its files' digests are verified."""
        missing = fail(Text.of("airlock.no-such-model", name=name[:18]), Text.of("airlock.no-such-model-fix"))
        try:
            opened = self.shelf.open(self._version_of(name), today=self.today)
            order = next((parent for parent in opened.seal.parents if parent.startswith(f"{Kind.ORDER}-")), None)
            if opened.seal.kind is not Kind.VERSION or order is None:
                return missing
            champion = champion_of(self.shelf, str(opened.seal.terms.get("model")))
        except CreditError:
            return missing
        try:
            sealed = _sealed_model(opened, order in self.orders, champion == opened.seal.id)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return fail(Text.of("airlock.model-files"), Text.of("airlock.train-with-lab"))
        return copy_of(sealed, t)

    def _version_of(self, name: str) -> str:
        if not name.startswith(f"{Kind.ORDER}-"):
            return name
        made = [seal.id for seal in self.shelf.list(Kind.VERSION) if name in seal.parents]
        return made[-1] if made else name


def ordered_by(project: str, entries: Iterable[Entry]) -> frozenset[str]:
    """The orders of trainings that a project requested, also those that it cancelled since."""
    requested = (entry for entry in entries if entry.verb == TRAINING.requested)
    return frozenset(entry.object for entry in requested if entry.details.get("project") == project)


def _sealed_model(opened: OpenedSeal, of_project: bool, in_production: bool) -> SealedModel:
    card, evidence, leaves = (_json(opened, name) for name in ("version.json", "evidence.json", "leaves.json"))
    measured = evidence.get("membership") or {}
    figures = ModelFigures(
        _number(evidence.get("auc")),
        _number(evidence.get("auc_low")),
        _number(evidence.get("auc_high")),
        _number(measured.get("tpr_at_1_percent")),
        _number(measured.get("defaulted", {}).get("tpr_at_1_percent")),
    )
    return SealedModel(
        opened.seal.id,
        (opened.path / "model.txt").read_text(encoding="ascii"),
        tuple(feature["name"] for feature in card["features"]),
        (opened.path / "features.sql").read_text(encoding="utf-8"),
        tuple(tuple(map(int, tree)) for tree in leaves["subjects"]),
        figures,
        of_project,
        in_production,
    )


def _json(opened: OpenedSeal, name: str) -> Any:
    return json.loads((opened.path / name).read_bytes())


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
