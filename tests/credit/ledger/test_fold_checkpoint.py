"""A fold that continues from its checkpoint computes what a fold from the start does."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from credit.actor import Actor, Role
from credit.keys import SigningKey
from credit.ledger import Entry, Ledger
from credit.ledger.fold_checkpoint import PURPOSE, FoldCheckpoint
from credit.ledger.signed_record import opened, signed, write_record

BOB = Actor("bob", Role.PLATFORM)


class Verbs:
    """Counts verbs, and how many entries it was given itself."""

    def __init__(self) -> None:
        self.counts, self.applied = Counter[str](), 0

    def apply(self, entry: Entry) -> None:
        self.counts[entry.verb] += 1
        self.applied += 1

    def state(self) -> Any:
        return dict(self.counts)

    def restore(self, state: Any) -> None:
        self.counts = Counter(state)


@pytest.fixture
def checkpoint(tmp_path: Path, ledger: Ledger) -> FoldCheckpoint:
    assert ledger.key is not None
    return FoldCheckpoint(tmp_path / "fold.json", ledger.key, ledger.ring)


def folded(ledger: Ledger, checkpoint: FoldCheckpoint) -> Verbs:
    fold = Verbs()
    position = checkpoint.restore(fold, {"own": ledger})["own"]
    for entry, after in ledger.follow(position):
        fold.apply(entry)
        position = after
    assert fold.counts == Counter(entry.verb for entry in ledger.entries())
    checkpoint.store(fold, {"own": position})
    return fold


def test_a_fold_reads_only_what_is_newer_than_its_checkpoint(ledger: Ledger, checkpoint: FoldCheckpoint) -> None:
    """Its state is continued."""
    ledger.append_many([("release.made", str(n), BOB, {}) for n in range(7)])
    assert folded(ledger, checkpoint).applied == 7
    ledger.append("project.opened", "p", by=BOB)
    assert folded(ledger, checkpoint).applied == 1


@pytest.mark.attack
def test_a_checkpoint_that_does_not_fit_is_not_used(
    ledger: Ledger, checkpoint: FoldCheckpoint, keys: dict[str, SigningKey]
) -> None:
    """One that was edited, signed by another zone, or made of another history of the ledger."""
    ledger.append_many([("release.made", str(n), BOB, {}) for n in range(7)])
    folded(ledger, checkpoint)
    record = json.loads(checkpoint.path.read_bytes())
    content = opened(record, PURPOSE, "platform", ledger.ring)
    wrong: dict[str, Any] = {"state": {"forged": 1}}
    elsewhere = {"offset": 1, "seq": 2, "id": "f" * 64}
    for changed in (
        {**record, **wrong},
        signed({**content, **wrong}, PURPOSE, keys["service"]),
        signed({**content, **wrong, "version": 2}, PURPOSE, keys["platform"]),
        signed({**content, **wrong, "positions": {"own": elsewhere}}, PURPOSE, keys["platform"]),
        signed({**content, **wrong, "positions": {"another": content["positions"]["own"]}}, PURPOSE, keys["platform"]),
        signed({**content, **wrong, "positions": 3}, PURPOSE, keys["platform"]),
        {},
    ):
        write_record(checkpoint.path, changed)
        assert folded(ledger, checkpoint).applied == 7
    checkpoint.path.unlink()
    assert folded(ledger, checkpoint).applied == 7
