"""A copy of a model is for readers outside: nothing in the lab scores with it, registers it or promotes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from credit.errors import Malformed, Missing
from credit.keys import SigningKey
from credit.seal import Kind
from credit.shelf import Shelf
from lab.airlock.copies.shelf_models import ShelfModels
from lab.airlock.issue import Issue
from lab.airlock.kinds.models.model_copy import ModelCopy
from lab.airlock.kinds.models.model_format import ModelFormat
from lab.airlock.thresholds import load
from models.calibration.maps import Platt
from models.registry.version import TrainingOutcome, version_json
from models.scoring.scorer import Scorer
from models.scoring.trees.model_text import read
from tests.lab.airlock.kinds.models.sealed_versions import RECIPE, TODAY, as_json, features, named, put, version_files
from tests.models import invented

pytestmark = pytest.mark.attack


@pytest.fixture
def copy(shelf: Shelf, keys: dict[str, SigningKey]) -> ModelCopy:
    _, version = put(shelf, keys, version_files(*features(width=5), invented.FEATURES))
    made = ModelFormat(ShelfModels(shelf, TODAY)).read(named(version), load())
    assert not isinstance(made, Issue)
    return made.model


def card(copy: ModelCopy) -> dict[str, object]:
    """A scorecard that fits the trees of the copy."""
    declared = invented.declaration()
    declared["features"] = [each | {"direction": 0} for each in declared["features"] if each["name"] in copy.names]
    declared["features"].sort(key=lambda each: each["name"])
    declared["rules"] = []
    outcome = TrainingOutcome(RECIPE, Platt(1.0, 0.0), ())
    return version_json(declared, outcome, order=f"order-{'0' * 64}", release=f"release-{'1' * 64}")


def test_the_scorer_refuses_its_text_and_takes_the_same_trees_without_the_line(copy: ModelCopy, tmp_path: Path) -> None:
    """Promotion, snapshots and the service all load a version by the scorer."""
    (tmp_path / "version.json").write_bytes(as_json(card(copy)))
    (tmp_path / "model.txt").write_text(copy.text)
    with pytest.raises(Malformed):
        Scorer.load(tmp_path)
    (tmp_path / "model.txt").write_text(copy.text.replace(f"copy_of={copy.version}\n", ""))
    assert Scorer.load(tmp_path).forest.leaves == copy.leaves, "the line is what keeps it from serving"


def test_no_reader_of_ours_takes_its_text(copy: ModelCopy) -> None:
    for foreign in (False, True):
        with pytest.raises(Malformed):
            read(copy.text, copy.names, foreign=foreign)


def test_its_id_is_no_id_of_the_shelf(shelf: Shelf, copy: ModelCopy) -> None:
    """What registers, promotes, exports and evaluates a version opens it on the shelf."""
    assert copy.id.partition("-")[0] not in set(Kind)
    with pytest.raises((Malformed, Missing)):
        shelf.open(copy.id)
