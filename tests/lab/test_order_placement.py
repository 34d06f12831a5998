"""An order is sealed only when it fits a research release that has not expired; the same order is the same seal."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from credit.errors import Lapsed, Malformed, Refused
from credit.keys import KeyRing, SigningKey
from credit.ledger import Ledger
from credit.seal import Kind
from credit.shelf import Shelf
from lab.order_placement import place_order
from tests.models import world


@pytest.fixture
def ledger(tmp_path: Path, keys: dict[str, SigningKey], ring: KeyRing) -> Ledger:
    return Ledger(tmp_path / "ledger.jsonl", keys["research"], ring)


@pytest.fixture
def given(shelf: Shelf, keys: dict[str, SigningKey], ledger: Ledger) -> dict[str, Any]:
    options = {"shelf": shelf, "key": keys["research"], "by": world.ALICE, "ledger": ledger, "today": world.AS_OF}
    rows = {"registration": [world.firm(world.subject(1))]}
    return options | {"release": world.release(shelf, keys["custody"], rows)}


def test_the_same_order_is_one_seal_with_the_release_as_parent(given: dict[str, Any], ledger: Ledger) -> None:
    seal = place_order(world.order(), **given)
    assert seal.kind is Kind.ORDER
    assert seal.parents == (given["release"].seal.id,)
    assert seal.expires_on == given["release"].seal.expires_on
    assert seal.terms["reads"]["loan"] == ["overdue_days"]
    assert place_order(world.order(), **given).id == seal.id
    assert place_order(world.order(training={"seed": 8}), **given).id != seal.id
    assert [entry.verb for entry in ledger.about(seal.id)] == ["order.placed", "order.placed"]


def test_an_order_that_does_not_fit_leaves_nothing(given: dict[str, Any], shelf: Shelf, ledger: Ledger) -> None:
    with pytest.raises(Malformed, match="files"):
        place_order(world.order(sql="SELECT subject, a FROM read_csv('/etc/passwd')"), **given)
    with pytest.raises(Lapsed, match="has lapsed"):
        place_order(world.order(), **given | {"today": date(2027, 1, 1)})
    assert shelf.list(Kind.ORDER) == []
    assert ledger.entries() == [] or list(ledger.entries()) == []


def test_a_release_for_scoring_is_refused(given: dict[str, Any], shelf: Shelf, keys: dict[str, SigningKey]) -> None:
    scoring = world.release(shelf, keys["custody"], {}, purpose="scoring")
    with pytest.raises(Refused, match=r"not for training.*was made for scoring"):
        place_order(world.order(), **given | {"release": scoring})
