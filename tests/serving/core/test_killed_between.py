"""Killed at any point between the ledger and the store, the service leaves no state without an entry, and the same key
then gives one answer for one act."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from serving_world import PURPOSE, codes

from serving.app.create import create_app
from serving.audit.journal import Journal
from serving.responses.job_columns import CSV, INPUT_COLUMNS
from serving.store.copy import copy_store
from serving.store.store import open_store, statement

pytestmark = pytest.mark.servers
CODE, AFTER = codes("enterprise", 1)[0], "post_loan_management"
_FORK = multiprocessing.get_context("fork")  # a service starts in a second, as everything is loaded
MADE = {"/v1/objections": ("objection", "objection.asked"), "/v1/watches": ("watch", "watch.opened"),
        "/v1/jobs": ("job", "job.sent")}  # fmt: skip
MOST_POINTS, HOOK = 24, "http://127.0.0.1:9/hook"


class Points:
    """Ends this process at a point of its writing: before or after a transaction, an entry written, or made durable."""

    def __init__(self, number: int) -> None:
        self._left, self.armed = number, False

    def reach(self) -> None:
        if self.armed:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def around(self, owner: type, name: str) -> None:
        inner: Callable[..., Any] = getattr(owner, name)

        def reached(*arguments: Any, **more: Any) -> Any:
            self.reach()
            value = inner(*arguments, **more)
            self.reach()
            return value

        setattr(owner, name, reached)


def answer(settings: Any, token: str, path: str, sent: dict[str, Any], number: int, key: int) -> Any:
    """The answer, or None when the service was killed at the point of this number (0 for none)."""
    out = _FORK.SimpleQueue()
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": f"k-{key}", **sent.get("headers", {})}
    process = _FORK.Process(target=_request, args=(settings, path, {**sent, "headers": headers}, number, out))
    process.start()
    process.join(120)
    assert process.exitcode in (0, -signal.SIGKILL)
    return None if process.exitcode else out.get()


def _request(settings: Any, path: str, sent: dict[str, Any], number: int, out: Any) -> None:
    """In a process of its own: start the service, send the request, and put its answer, unless it ended before."""
    service = create_app(settings)
    with TestClient(service) as http:
        if path == "/v1/watches":
            authorization = {"Authorization": sent["headers"]["Authorization"]}
            assert http.put("/v1/webhook", json={"url": HOOK}, headers=authorization).status_code == 200
        points = Points(number)
        points.around(type(service.service.store._engine), "transact")
        points.around(Journal, "write")
        points.around(Journal, "sync")
        points.armed = True
        response = http.post(path, **sent)
        points.armed = False
        out.put((response.status_code, response.content))


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
@pytest.mark.parametrize("path", ["/v1/scores", *MADE])
def test_a_kill_between_any_two_writes_loses_nothing_and_doubles_nothing(
    world: Any, tokens: Any, request: pytest.FixtureRequest, engine: str, path: str
) -> None:
    more: dict[str, Any] = {"webhooks_to_loopback": True, "chores": False}
    score = {"uscc": CODE, "purpose": PURPOSE, "mandate": world.grant("bohai", CODE).id}
    watch = {"uscc": CODE, "purpose": AFTER, "mandate": world.grant("bohai", CODE, purpose=AFTER).id}
    if engine == "postgresql":
        address = request.getfixturevalue("postgres").database()
        target = open_store(address)
        copy_store(Path(world.root / "access.db"), target)
        target.close()
        more["store"] = address
    settings, token = world.settings(**more), tokens("bohai")
    file = f"{','.join(INPUT_COLUMNS)}\n{CODE},{PURPOSE},{score['mandate']}\n".encode()
    sent: dict[str, Any] = {"/v1/scores": {"json": score}, "/v1/watches": {"json": watch},
                            "/v1/jobs": {"content": file, "headers": {"Content-Type": CSV}}}  # fmt: skip
    if path == "/v1/objections":
        _, scored = answer(settings, token, "/v1/scores", sent["/v1/scores"], 0, 0)
        score_id = scored.decode().split('"score_id":"')[1].split('"')[0]
        sent[path] = {"json": {"score_id": score_id, "kind": "explanation", "statement": "why?"}}
    for number in range(1, MOST_POINTS):
        first = answer(settings, token, path, sent[path], number, number)
        if path in MADE:  # a state never without its entry
            assert _states(settings, path) <= _entries(world, path)
        again = answer(settings, token, path, sent[path], 0, number)
        assert again[0] == 200, (number, again)
        assert answer(settings, token, path, sent[path], 0, number) == again
        if path in MADE:
            assert len(_states(settings, path)) == number
            assert _states(settings, path) == _entries(world, path)
            _free(settings, path)
        if first is not None:  # all points of the request are behind us
            assert first == again
            break
    else:
        raise AssertionError("there are more points than were tried")
    assert number > 4
    assert world.ledger.verify()


def _states(settings: Any, path: str) -> set[str]:
    store = open_store(settings.store_place)
    rows = store.query(statement(f"SELECT id FROM {MADE[path][0]}"))
    store.close()
    return {name for (name,) in rows}


def _entries(world: Any, path: str) -> set[str]:
    return {entry.object for entry in world.ledger.entries() if entry.verb == MADE[path][1]}


def _free(settings: Any, path: str) -> None:
    """End what was made, as a bank may have few of them open."""
    if path == "/v1/jobs":
        store = open_store(settings.store_place)
        store.run(statement("UPDATE job SET state = 'cancelled'"))
        store.close()
