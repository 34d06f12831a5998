"""A shortage of this machine says nothing about a public evaluation: it goes on being used, and is read again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from serving_evaluations import evaluate
from serving_world import TODAY

from serving.data import evaluations, registry

KIND = "enterprise"


@pytest.fixture
def running(serve: Any) -> Iterator[Any]:
    with serve() as started:
        yield started


def short(*words: Any) -> Any:
    raise OSError(24, "Too many open files")


@pytest.mark.attack
def test_a_shortage_of_descriptors_does_not_take_an_evaluation_out_of_service(
    running: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_use = running.http.app.service.evaluations
    with monkeypatch.context() as exhausted:
        exhausted.setattr(evaluations, "file_stamps", short)
        assert in_use.refresh() == []
        assert "snapshot" in in_use.state(TODAY)[KIND]
        exhausted.setattr(evaluations, "SECONDS", -1.0)  # and a minute later it is out of service
        in_use.refresh()
        assert "fault" in in_use.state(TODAY)[KIND]
    assert [opened.model for opened in in_use.refresh()] != []
    assert "snapshot" in in_use.state(TODAY)[KIND]


@pytest.mark.attack
@pytest.mark.parametrize("fault", [OSError(24, "Too many open files"), MemoryError()])
def test_what_a_shortage_kept_from_being_opened_is_opened_afterwards(
    running: Any, monkeypatch: pytest.MonkeyPatch, fault: BaseException
) -> None:
    """Its pointer and its files are as they were, so nothing but the refusal itself says that it has to be read."""
    in_use = running.http.app.service.evaluations

    def refuse(*words: Any) -> Any:
        raise fault

    newer = evaluate(running.world, KIND, 40, seed=5)
    with monkeypatch.context() as exhausted:
        exhausted.setattr(evaluations, "open_evaluation", refuse)
        exhausted.setattr(evaluations, "SECONDS", -1.0)
        for _ in range(2):
            in_use.refresh()
            assert "fault" in in_use.state(TODAY)[KIND]
    in_use.refresh()
    assert in_use.state(TODAY)[KIND]["snapshot"] == newer


@pytest.mark.attack
def test_a_snapshot_that_a_shortage_kept_from_being_opened_is_opened_afterwards(
    running: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where none is in use any more: its files do not change."""
    snapshots = running.http.app.service.snapshots
    with monkeypatch.context() as exhausted:
        exhausted.setattr(registry, "SECONDS", -1.0)
        exhausted.setattr(registry, "read_pointers", short)
        snapshots.refresh()
    with monkeypatch.context() as exhausted:
        exhausted.setattr(registry, "open_snapshot", short)
        for _ in range(2):
            assert snapshots.refresh() == []
    assert len(snapshots.refresh()) == 2
