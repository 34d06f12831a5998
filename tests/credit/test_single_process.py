"""One process at a time works under the lock, and a look whether it is locked keeps none from it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from credit.errors import Malformed
from credit.single_process import exclusive_lock, is_locked

REFUSAL = Malformed("agent.another-at-work", zone="custody")


def test_a_second_process_is_refused_until_the_first_has_ended(tmp_path: Path) -> None:
    lock = tmp_path / "runs" / ".agent"
    assert not is_locked(lock)
    with exclusive_lock(lock, REFUSAL):
        assert is_locked(lock)
        with pytest.raises(Malformed), exclusive_lock(lock, REFUSAL):
            pass
    assert not is_locked(lock)
    with exclusive_lock(lock, REFUSAL):
        pass


def test_looking_does_not_keep_a_process_from_its_lock(tmp_path: Path) -> None:
    lock, end = tmp_path / ".agent", threading.Event()

    def look() -> None:
        while not end.is_set():
            is_locked(lock)

    looking = threading.Thread(target=look)
    looking.start()
    try:
        for _ in range(200):
            with exclusive_lock(lock, REFUSAL):
                pass
    finally:
        end.set()
        looking.join()
