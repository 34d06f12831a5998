"""A service that stops answers the requests that have begun, and waits for no other client."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from serving_service_thread import FIRM, ServiceThread


def test_who_hangs_up_loses_no_entry_and_a_stop_lets_the_answer_leave(
    service_thread: ServiceThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed, stays = service_thread.line(), service_thread.line()
    mandate = service_thread.world.grant("bohai", FIRM).id
    assert closed.exchange(mandate)[0] == stays.exchange(mandate)[0] == 200
    really, released = type(service_thread.endpoint.service.journal).sync, threading.Event()

    def slow(journal: Any) -> None:
        released.wait(10)
        really(journal)

    monkeypatch.setattr(type(service_thread.endpoint.service.journal), "sync", slow)
    for line in (closed, stays):
        line.link.sendall(line.request(mandate))
    while service_thread.endpoint.under_way < 2:
        time.sleep(0.01)
    closed.link.close()
    service_thread.server.should_exit = True
    time.sleep(0.3)
    released.set()
    assert stays.answer()[0] == 200
    assert stays.link.recv(1) == b""  # and then the connection is closed
    assert len(service_thread.entries("score.answered")) == 4


def test_a_request_that_has_begun_is_answered_and_a_silent_connection_is_closed(
    service_thread: ServiceThread,
) -> None:
    silent, begun = service_thread.line(), service_thread.line()
    mandate = service_thread.world.grant("bohai", FIRM).id
    whole = begun.request(mandate)
    begun.link.sendall(whole[:-9])
    while service_thread.endpoint.under_way < 1:
        time.sleep(0.01)
    service_thread.server.should_exit = True
    assert silent.link.recv(1) == b""  # by now it stops
    begun.link.sendall(whole[-9:])
    status, headers, _ = begun.answer()
    assert (status, headers["connection"]) == (200, "close")
    assert begun.link.recv(1) == b""
    assert len(service_thread.entries("score.answered")) == 1
