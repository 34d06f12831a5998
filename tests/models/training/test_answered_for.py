"""A label that differs in a few subjects from an earlier order's is answered for the earlier one, says so, and is
promoted so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from credit.keys import KeyRing, SigningKey
from credit.ledger import Ledger
from credit.shelf import OpenedSeal, Shelf
from models.distributed.ray_cluster import in_process
from models.promotion.case import prepare_case
from models.registry.mlflow_registry import Registry
from models.training.pipeline import train
from tests.models import invented_release as made

pytestmark = pytest.mark.servers
LABEL = made.declaration()["label"]
NEAR = LABEL | {"when": "overdue_days >= 90 AND reported_on <> DATE '2024-07-01'"}  # 7 subjects of 400 differ


def test_a_near_label_is_answered_for_the_earlier_one(
    tmp_path: Path, keys: dict[str, SigningKey], ring: KeyRing, mlflow_server: str
) -> None:
    shelf, ledger = Shelf(tmp_path / "shelf", ring), Ledger(tmp_path / "ledger.jsonl", keys["compute"], ring)
    release = made.release(shelf, keys["custody"], subjects=400)

    def trained(title: str, **changes: object) -> OpenedSeal:
        order = made.order(shelf, keys["research"], release, model="near", title=title, **changes)
        office = {"shelf": shelf, "key": keys["compute"], "by": made.RESEARCHER, "ledger": ledger}
        seal = train(
            order, tracking=Registry(mlflow_server), answered=made.answered(ledger), tasks=in_process(), **office
        )  # type: ignore[arg-type]
        return shelf.open(seal.id)

    first, second = trained("first"), trained("second", label=NEAR)
    evidence = [json.loads((each.path / "evidence.json").read_bytes()) for each in (first, second)]
    assert "answered_for" not in evidence[0]
    assert evidence[1].pop("answered_for")["order"] == first.seal.parents[0]
    assert evidence[0] == evidence[1], "nothing tells the two labels apart"
    assert second.seal.terms["answered_for"]["label"]["when"] == LABEL["when"]
    assert "Answered for the label of the earlier order" in (second.path / "card.md").read_text("utf-8")
    assert prepare_case(second, shelf=shelf, tasks=in_process()).evidence["positives"] == evidence[0]["positives"]
