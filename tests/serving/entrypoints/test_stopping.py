"""A service that stops answers its open requests and the clients that connected as it stopped, and no others."""

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
    while service_thread.fast_path_used != [True, True]:
        time.sleep(0.01)
    closed.link.close()
    service_thread.server.should_exit = True
    time.sleep(0.3)
    released.set()
    assert stays.answer()[0] == 200
    assert stays.link.recv(1) == b""  # and then the connection is closed
    assert len(service_thread.entries("score.answered")) == 4


def test_who_connected_as_the_service_stopped_is_answered_once_and_who_sends_nothing_is_not_waited_for(
    service_thread: ServiceThread,
) -> None:
    quick, silent, begun = service_thread.line(), service_thread.line(), service_thread.line()
    mandate = service_thread.world.grant("bohai", FIRM).id
    whole = begun.request(mandate)
    begun.link.sendall(whole[:40])
    time.sleep(0.1)
    service_thread.server.should_exit = True
    time.sleep(0.25)  # by now it stops
    quick.link.sendall(quick.request(mandate))
    begun.link.sendall(whole[40:])
    for line in (quick, begun):
        status, headers, _ = line.answer()
        assert (status, headers["connection"]) == (200, "close")
        assert line.link.recv(1) == b""
    assert silent.link.recv(1) == b""
    assert len(service_thread.entries("score.answered")) == 2
