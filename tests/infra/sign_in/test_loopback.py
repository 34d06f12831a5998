"""The loopback listener takes one answer: of this login, at its own path and address, before its deadline."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from credit.errors import Refused, Unauthenticated
from infra.sign_in.loopback import Loopback
from infra.stack import free_port

STATE = "s" * 43


class Waiting:
    """A listener that waits in a thread, and the result."""

    def __init__(self, seconds: float = 30) -> None:
        self.port = free_port()
        self.listener = Loopback(self.port, STATE)
        self.result: Any = None
        self._thread = threading.Thread(target=self._wait, args=(seconds,))
        self._thread.start()

    def _wait(self, seconds: float) -> None:
        try:
            with self.listener:
                self.result = self.listener.code(seconds)
        except Unauthenticated as error:
            self.result = error

    def get(self, path: str, **headers: str) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{self.port}{path}", headers=headers, trust_env=False)

    def ended(self) -> Any:
        self._thread.join(30)
        assert not self._thread.is_alive()
        return self.result


def test_the_right_answer_gives_the_code() -> None:
    """The browser shows that the page may be closed, in its language, and stores nothing."""
    waiting = Waiting()
    answer = waiting.get(f"/signed-in?code=abc&state={STATE}", **{"Accept-Language": "zh-CN"})
    assert answer.status_code == 200
    assert "可以关闭" in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert waiting.ended() == "abc"


@pytest.mark.parametrize(
    "wrong",
    [
        lambda waiting: waiting.get("/signed-in?code=evil&state=wrong"),
        lambda waiting: waiting.get("/signed-in?code=evil"),
        lambda waiting: waiting.get(f"/other?code=evil&state={STATE}"),
        lambda waiting: waiting.get(f"/signed-in?state={STATE}"),
        lambda waiting: waiting.get(f"/signed-in?code=evil&code=abc&state={STATE}x"),
        lambda waiting: waiting.get(f"/signed-in?code=evil&state={STATE}&state=x"),
        lambda waiting: waiting.get(f"/signed-in?code=evil&state={STATE}", Host="evil.example"),
        lambda waiting: waiting.get(f"/signed-in?code=evil&state={STATE}", Host=f"localhost:{waiting.port}"),
    ],
)
def test_another_answer_is_refused_and_the_wait_goes_on(wrong: Callable[[Waiting], httpx.Response]) -> None:
    """A wrong state, path or host changes nothing: the right answer is still taken after it."""
    waiting = Waiting()
    assert wrong(waiting).status_code == 400
    assert waiting.get(f"/signed-in?code=abc&state={STATE}").status_code == 200
    assert waiting.ended() == "abc"


def test_a_refusal_at_the_hub_ends_the_login() -> None:
    """When the user does not confirm, the command line says so."""
    waiting = Waiting()
    waiting.get(f"/signed-in?error=access_denied&state={STATE}")
    assert "refused in the browser" in str(waiting.ended())


def test_the_wait_has_a_deadline_also_while_a_connection_stays_silent() -> None:
    """A connection that sends nothing, or breaks off, does not keep the command line."""
    waiting = Waiting(seconds=0.3)
    with socket.create_connection(("127.0.0.1", waiting.port)) as silent:
        silent.sendall(b"GET /signed-in")
        silent.shutdown(socket.SHUT_WR)
    assert "No one signed in" in str(waiting.ended())


def test_a_port_in_use_is_refused_in_words() -> None:
    """Another program at the port could take the code: nothing is begun."""
    with socket.socket() as occupied:
        occupied.bind(("127.0.0.1", 0))
        occupied.listen()
        with pytest.raises(Refused, match="in use"):
            Loopback(occupied.getsockname()[1], STATE)
