"""A snapshot that nothing uses is destroyed with its records; the rows that answers rest on are kept, and
replay exactly.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from serving_world import ENGINEER, PLATFORM, codes

from credit.destruction import delete_files, destruction_record, is_emptied
from credit.errors import Broken, Lapsed
from credit.ledger import Ledger
from credit.seal import Kind
from credit.trace import trace
from models.scoring.snapshot_layout import FEATURES_FILE, SUBJECTS_FILE
from models.snapshots.retention import Retention
from serving.data.excerpt import make_excerpt
from serving.endpoints.scores.replay import replay

SOON = date.today() + timedelta(days=31)
FIRM, OTHER = codes("enterprise", 2)


@pytest.fixture
def swept(running: Any) -> Any:
    """A world whose first snapshot answered about one firm, and was then replaced by another of the same month."""
    world, (version, first, *_) = running.world, running.seals["enterprise"]
    answer = running.score(FIRM, world.grant("bohai", FIRM).id).json()
    assert answer["snapshot"]["id"] == first
    second = world.snapshot("enterprise", version, 40, seed=5)
    world.show("enterprise", version, second)
    return world, first, second, answer


def rule(world: Any, today: date = SOON, days: int = 30) -> Retention:
    return Retention(world.shelf, world.ledger, today, days, make_excerpt)


def sweep(world: Any, today: date = SOON) -> list[str]:
    """As the zones do it: the platform records what is due, and after that the makers delete the files."""
    retention, key = rule(world, today), world.key("platform")
    ledger = Ledger(world.root / "platform.jsonl", key, world.ring)
    due = retention.due()
    for each in due:
        retention.record(each, by=PLATFORM, key=key, ledger=ledger)
    for each in due:
        delete_files(world.shelf, each.seal)
    return [each.seal.id for each in due]


def test_a_replaced_snapshot_is_destroyed_and_its_answer_replays(swept: Any) -> None:
    world, first, second, answer = swept
    folder = world.shelf.open(first).path
    size = sum(path.stat().st_size for path in folder.iterdir())
    destroyed = sweep(world)
    assert first in destroyed
    assert second not in destroyed
    assert [path.name for path in folder.iterdir()] == ["manifest.json"]
    record = destruction_record(world.shelf, first)
    assert record is not None
    assert record.on == SOON
    excerpt = world.shelf.open(str(record.excerpt))
    assert len(np.load(excerpt.path / FEATURES_FILE)) == 1, "the one who was answered about, and nobody else"
    assert sum(path.stat().st_size for path in excerpt.path.iterdir()) < size / 2
    again = replay(answer["score_id"], world.ledger, world.shelf)
    assert again.digest == answer["receipt"]["digest"]
    assert again.answer["snapshot"]["id"] == first
    with pytest.raises(Lapsed, match="was destroyed"):
        world.shelf.open(first)
    assert [each.seal.id for each in rule(world).due()] == []
    (entry,) = [
        entry_
        for entry_ in Ledger(world.root / "platform.jsonl", None, world.ring).verified()
        if entry_.object == first
    ]
    assert (entry.verb, entry.details["excerpt"]) == ("seal.destroyed", excerpt.seal.id)


def test_a_score_from_it_is_traced_through_what_is_left(swept: Any) -> None:
    world, first, _, answer = swept
    before = trace(answer["score_id"], shelf=world.shelf, ledgers={"service": world.ledger})
    sweep(world)
    chain = trace(answer["score_id"], shelf=world.shelf, ledgers={"service": world.ledger})
    assert [link.kind for link in chain.links][:3] == ["score", "excerpt", "snapshot"]
    assert [link.id for link in chain.links if link.kind != "excerpt"] == [link.id for link in before.links]
    (link,) = [link for link in chain.links if link.id == first]
    assert link.facts["destroyed_on"] == SOON.isoformat()


def test_nothing_in_use_is_destroyed_on_any_day(swept: Any) -> None:
    world, first, second, _ = swept
    assert rule(world, date.today() + timedelta(days=29)).due() == []
    used = {second, str(world.shelf.pointer("snapshot-individual_business", {"platform"})["snapshot"])}
    ancestors = {parent for name in used for parent in world.shelf.open(name).seal.parents}
    for days in (31, 400, 4000):
        due = {each.seal.id for each in rule(world, date.today() + timedelta(days=days)).due()}
        assert first in due
        assert not due & (used | ancestors)


def test_the_newest_of_a_month_stays_for_the_next_evaluation(swept: Any) -> None:
    world, _, second, _ = swept
    third = world.snapshot("enterprise", world.shelf.open(second).seal.terms["version"], 40, seed=6, as_of=SOON)
    world.show("enterprise", world.shelf.open(third).seal.terms["version"], third)
    assert second not in {each.seal.id for each in rule(world).due()}
    assert second in {each.seal.id for each in rule(world, SOON + timedelta(days=500)).due()}


def test_a_snapshot_that_answered_recently_is_kept(swept: Any) -> None:
    world, first, *_ = swept
    today = date.today() + timedelta(days=5)
    assert rule(world, today, days=6).due() == []
    assert first in {each.seal.id for each in rule(world, today, days=5).due()}


def test_a_killed_sweep_is_completed_by_the_next(swept: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    world, first, _, answer = swept
    folder, unlink = world.shelf.open(first).path, Path.unlink

    def killed(path: Path) -> None:
        if path == folder / SUBJECTS_FILE:
            raise KeyboardInterrupt
        unlink(path)

    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.unlink", killed)
        with pytest.raises(KeyboardInterrupt):
            sweep(world)
    assert sorted(path.name for path in folder.iterdir()) == ["manifest.json", "subjects.bin"]
    record = destruction_record(world.shelf, first)
    assert record is not None
    assert first in sweep(world)
    assert is_emptied(world.shelf, world.shelf.open(first, deep=False).seal)
    assert destruction_record(world.shelf, first) == record
    assert replay(answer["score_id"], world.ledger, world.shelf).digest == answer["receipt"]["digest"]


@pytest.mark.attack
def test_only_the_platform_may_record_that_a_seal_was_destroyed(swept: Any) -> None:
    """Otherwise an attacker could damage a snapshot, record its destruction, and let its answers rest on a
    forged excerpt.
    """
    world, first, _, answer = swept
    record = {"on": SOON.isoformat(), "excerpt": None}
    world.shelf.set_pointer(f"destroyed-{first}", record, world.key("compute"))
    with pytest.raises(Broken):
        world.shelf.open(first)
    with pytest.raises(Broken):
        replay(answer["score_id"], world.ledger, world.shelf)


@pytest.mark.attack
def test_an_excerpt_of_another_snapshot_or_with_another_row_replays_nothing(swept: Any) -> None:
    world, first, second, answer = swept
    sweep(world)
    record = destruction_record(world.shelf, first)
    assert record is not None
    real = world.shelf.open(str(record.excerpt))
    files = {path.name: path.read_bytes() for path in real.path.iterdir() if path.name != "manifest.json"}
    features = np.load(real.path / FEATURES_FILE)
    np.save(world.root / "other.npy", features + 1)
    other = files | {FEATURES_FILE: (world.root / "other.npy").read_bytes()}
    for content, of in ((files, second), (other, first)):
        with world.shelf.staging() as folder:
            for name, text in content.items():
                (folder / name).write_bytes(text)
            terms = {**real.seal.terms, "of": of}
            seal = world.shelf.put(folder, Kind.EXCERPT, parents=real.seal.parents, terms=terms, by=ENGINEER,
                                   expires_on=real.seal.expires_on, key=world.key("platform"))  # fmt: skip
        world.shelf.set_pointer(
            f"destroyed-{first}", {"on": SOON.isoformat(), "excerpt": seal.id}, world.key("platform")
        )
        with pytest.raises(Broken):
            replay(answer["score_id"], world.ledger, world.shelf)


@pytest.mark.attack
def test_a_ledger_that_was_cut_destroys_nothing(swept: Any) -> None:
    world, *_ = swept
    path = world.root / "ledger.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[1:]))
    with pytest.raises(Broken):
        rule(world).due()
