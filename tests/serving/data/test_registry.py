"""Only a verified snapshot of the promoted version answers, and a replacement neither mixes nor fails an answer."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from serving_world import TODAY, codes

from credit.messages import Text
from credit.suppression import suppress
from models.scoring.snapshot_layout import ANSWERS_FILE, FEATURES_FILE, SUBJECTS_FILE
from serving.data import registry, suppression
from serving.store.transaction import StoreUnavailable

GOOD = codes("enterprise", 1)[0]
OTHER_MODEL = codes("individual_business", 1)[0]


def flip(path: Path) -> None:
    """Change one byte in the middle and restore the times, as an attacker would who wants to stay unnoticed."""
    before = path.stat()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def wait_until(running: Any, status: int) -> Any:
    """Wait until readiness has this status, at most ten seconds."""
    end = time.monotonic() + 10
    while (response := running.http.get("/ready")).status_code != status:
        assert time.monotonic() < end, response.text
        time.sleep(0.05)
    return response


def place(world: Any, seal: str) -> Path:
    kind, _, code = seal.partition("-")
    return Path(world.root / "shelf" / kind / code)


@pytest.mark.parametrize(
    "name", [ANSWERS_FILE, FEATURES_FILE, SUBJECTS_FILE, "manifest.json", "version.json", "model.txt"]
)
def test_a_changed_byte_at_start_is_not_ready_and_refuses(serve: Any, world: Any, template: Any, name: str) -> None:
    version, snapshot = template[2]["enterprise"][:2]
    path = place(world, snapshot) / name
    flip(path if path.exists() else place(world, version) / name)
    with serve() as running:
        assert running.http.get("/ready").status_code == 503
        assert running.score(GOOD, world.grant("bohai", GOOD).id).status_code == 503
        assert running.score(OTHER_MODEL, world.grant("bohai", OTHER_MODEL).id).status_code == 200


def test_a_byte_changed_in_service_is_detected_at_the_next_refresh(running: Any) -> None:
    mandate = running.world.grant("bohai", GOOD).id
    assert running.score(GOOD, mandate).status_code == 200
    flip(place(running.world, running.seals["enterprise"][1]) / ANSWERS_FILE)
    problem = wait_until(running, 503).json()
    assert "was changed" in problem["detail"]
    assert running.score(GOOD, mandate).status_code == 503


@pytest.mark.parametrize("which", ["champion", "snapshot"])
def test_a_pointer_signed_by_another_zone_is_refused_even_when_a_good_snapshot_serves(running: Any, which: str) -> None:
    version, snapshot = running.seals["enterprise"][2:]
    (running.world.root / "shelf" / "pointers" / f"{which}-enterprise.json").unlink()
    key = running.world.key("compute")
    if which == "champion":
        running.world.promote("enterprise", version, key)
    else:
        running.world.show("enterprise", version, snapshot, key)
    assert "platform" in wait_until(running, 503).json()["detail"]
    assert running.score(GOOD, running.world.grant("bohai", GOOD).id).status_code == 503


def test_a_pointer_copied_from_another_model_is_refused(running: Any) -> None:
    folder = running.world.root / "shelf" / "pointers"
    (folder / "snapshot-enterprise.json").write_bytes((folder / "snapshot-individual_business.json").read_bytes())
    wait_until(running, 503)


def test_a_snapshot_of_another_version_is_not_opened_at_start(serve: Any, world: Any, template: Any) -> None:
    world.promote("enterprise", template[2]["enterprise"][2])
    with serve() as running:
        assert "another version" in running.http.get("/ready").json()["detail"]
        assert running.score(GOOD, world.grant("bohai", GOOD).id).status_code == 503


def test_without_a_pointer_the_service_is_live_and_not_ready(serve: Any, world: Any, template: Any) -> None:
    pointer = world.root / "shelf" / "pointers" / "snapshot-enterprise.json"
    pointer.unlink()
    with serve() as running:
        assert running.http.get("/live").status_code == 200
        assert running.http.get("/ready").status_code == 503
        world.show("enterprise", *template[2]["enterprise"][:2])
        wait_until(running, 200)


def test_a_replaced_snapshot_fails_no_request_and_no_answer_mixes_two(running: Any) -> None:
    first, second = running.seals["enterprise"][:2], running.seals["enterprise"][2:]
    subjects, token = codes("enterprise", 8), running.token()
    mandates = {code: running.world.grant("bohai", code).id for code in subjects}
    points: dict[tuple[str, str], set[float]] = {}
    done, guard = threading.Event(), threading.Lock()

    def request_scores(start: int) -> int:
        count = 0
        while not done.is_set():
            code = subjects[(start + count) % len(subjects)]
            response = running.score(code, mandates[code], token=token)
            assert response.status_code == 200, response.text
            answer = response.json()
            assert (answer["version"], answer["snapshot"]["id"]) in (tuple(first), tuple(second))
            with guard:
                points.setdefault((code, answer["version"]), set()).add(answer["points"])
            count += 1
        return count

    def swap() -> None:
        for version, snapshot in (second, first, second, first, second):
            running.world.promote("enterprise", version)  # for a moment the champion has no snapshot of its own
            time.sleep(0.3)
            running.world.show("enterprise", version, snapshot)
            end = time.monotonic() + 10
            while running.http.get("/ready").json()["models"]["enterprise"]["snapshot"] != snapshot:
                assert time.monotonic() < end
                time.sleep(0.05)

    with ThreadPoolExecutor(5) as pool:
        clients = [pool.submit(request_scores, start) for start in range(4)]
        try:
            swap()
        finally:
            done.set()
        assert sum(future.result() for future in clients) > 20
    assert {version for _, version in points} == {first[0], second[0]}
    assert all(len(values) == 1 for values in points.values())
    assert running.world.ledger.verify()


def test_waiting_for_the_snapshot_of_a_new_champion_is_shown(running: Any) -> None:
    running.world.promote("enterprise", running.seals["enterprise"][2])
    end = time.monotonic() + 10
    while "waiting_for_snapshot_of" not in (status := running.http.get("/ready").json()["models"]["enterprise"]):
        assert time.monotonic() < end
        time.sleep(0.05)
    assert status["version"] == running.seals["enterprise"][0]
    assert (
        running.score(GOOD, running.world.grant("bohai", GOOD).id).json()["version"] == running.seals["enterprise"][0]
    )


def test_the_ledger_records_which_snapshot_served_since_when(running: Any) -> None:
    version, snapshot = running.seals["enterprise"][2:]
    running.world.promote("enterprise", version)
    running.world.show("enterprise", version, snapshot)
    end = time.monotonic() + 10
    while not (opened := running.world.ledger.about(snapshot)):
        assert time.monotonic() < end
        time.sleep(0.05)
    assert opened[0].details["version"] == version
    assert {entry.object for entry in running.entries("book.opened")} == {
        snapshot, *(running.seals[model][1] for model in running.seals)
    }  # fmt: skip


@pytest.mark.attack
def test_a_shortage_of_descriptors_does_not_take_a_snapshot_out_of_service(
    running: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """1,100 idle connections once made every answer a 503: their descriptors were missing where files are read."""
    snapshots = running.http.app.service.snapshots
    code = codes("enterprise", 1)[0]
    mandate, token = running.world.grant("bohai", code).id, running.token()

    def short(*words: Any) -> Any:
        raise OSError(24, "Too many open files")

    with monkeypatch.context() as exhausted:
        exhausted.setattr(registry, "read_pointers", short)
        snapshots.refresh()
        assert running.score(code, mandate, token=token).status_code == 200
        exhausted.setattr(registry, "SECONDS", -1.0)  # and a minute later it is out of service
        snapshots.refresh()
        assert running.score(code, mandate, token=token).status_code == 503
    snapshots.refresh()
    assert running.score(code, mandate, token=token).status_code == 200


def test_a_second_refresh_ends_after_the_first_has_opened_its_snapshot(
    running: Any, world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise the second caller would answer from what the first was still replacing."""
    snapshots, version = running.http.app.service.snapshots, running.seals["enterprise"][0]
    opens, goes_on, real = threading.Event(), threading.Event(), registry.open_snapshot

    def slow(*words: Any) -> Any:
        opens.set()
        assert goes_on.wait(10)
        return real(*words)

    monkeypatch.setattr(registry, "open_snapshot", slow)
    newer = world.snapshot("enterprise", version, 40, seed=2)
    with ThreadPoolExecutor(2) as threads:
        world.show("enterprise", version, newer)
        threads.submit(snapshots.refresh)
        assert opens.wait(10)
        second = threads.submit(lambda: (snapshots.refresh(), snapshots.for_model("enterprise", TODAY).snapshot))
        goes_on.set()
        assert second.result(10)[1] == newer


@pytest.mark.attack
def test_notices_that_a_full_disk_kept_from_being_read_are_read_again(running: Any, monkeypatch: Any) -> None:
    """Nothing is answered meanwhile; and no restart is needed afterwards."""
    notices = running.http.app.service.snapshots.suppression
    mandate, token = running.world.grant("bohai", GOOD).id, running.token()

    def full(*words: Any) -> Any:
        raise StoreUnavailable("store.not-available", why=Text.verbatim("disk full"))

    with monkeypatch.context() as shortage:
        shortage.setattr(suppression, "newest_number", full)
        suppress(running.world.shelf, "scoring", ["00" * 16], today=TODAY, forget_before=TODAY,
                 key=running.world.key("custody"))  # fmt: skip
        notices.refresh()
        assert running.score(GOOD, mandate, token=token).status_code == 503
    notices.refresh()
    assert running.score(GOOD, mandate, token=token).status_code == 200
