"""A browser that connects to a kernel learns its state at once, and its end, whatever the kernel does at that moment."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab.workspace.workspace_client import Kernel, WorkspaceClient

pytestmark = pytest.mark.servers
WAITS = """
import pathlib, time
while not pathlib.Path("{name}").exists():
    time.sleep(0.02)
"""
SECONDS = 60.0  # after which a state that was not sent is lost


@pytest.fixture
def kernel(alice: WorkspaceClient) -> Iterator[Kernel]:
    """A kernel that no other test has."""
    started = alice.kernel()
    yield started
    started.shut()


def wait_for_state(socket: Any, state: str, request: str = "") -> None:
    """Read messages until one says that the kernel is in a state, because of a request if one is named; fails when
    none comes.
    """
    limit = time.monotonic() + SECONDS
    while time.monotonic() < limit:
        message = json.loads(socket.recv(timeout=max(0.1, limit - time.monotonic())))
        is_meant = not request or message["parent_header"].get("msg_id") == request
        if message["msg_type"] == "status" and message["content"]["execution_state"] == state and is_meant:
            return
    raise AssertionError(f"the state {state} was not sent")


def write(client: WorkspaceClient, name: str) -> None:
    """Make a file in the home, which lets a waiting cell go on."""
    body = {"type": "file", "format": "text", "content": ""}
    assert client.call("PUT", f"/api/contents/{name}", json=body).status_code == 201


def test_a_browser_that_connects_while_a_cell_runs_learns_so_and_then_that_it_ended(
    alice: WorkspaceClient, kernel: Kernel
) -> None:
    with kernel.connected() as first:
        cell = kernel.send(first, WAITS.format(name="go.txt"))
        wait_for_state(first, "busy", cell)
        with kernel.connected() as second:
            wait_for_state(second, "busy")  # the cell ends once the file is there
            write(alice, "go.txt")
            wait_for_state(second, "idle")


def test_a_browser_that_connects_to_an_idle_kernel_learns_so_without_a_request(kernel: Kernel) -> None:
    assert kernel.run("1") == "1"
    with kernel.connected() as socket:
        wait_for_state(socket, "idle")  # busy comes from Jupyter's own question as it connects


def test_whenever_browsers_connect_each_learns_the_state_in_the_end(alice: WorkspaceClient, kernel: Kernel) -> None:
    """Browsers connect at any moment of short cells; when nothing runs any more, each has learnt that it is idle."""
    over = threading.Event()

    def keep_busy() -> None:
        while not over.is_set():
            kernel.run("sum(range(1000))")

    at_work = threading.Thread(target=keep_busy)
    at_work.start()
    sockets: list[Any] = []
    try:
        sockets = [kernel.connected() for _ in range(12)]
    finally:
        over.set()
        at_work.join()
    for socket in sockets:
        with socket:
            wait_for_state(socket, "idle")


def test_a_kernel_that_is_being_restarted_can_be_shut_down(alice: WorkspaceClient) -> None:
    """Its process died, and the person ends it at that moment: none is left that cannot be ended."""
    for attempt in range(8):
        dying = alice.kernel()
        assert dying.run("import os, signal; os.kill(os.getpid(), signal.SIGKILL)") == "!dead"
        time.sleep(0.05 * (attempt % 4))
        dying.shut()
        assert dying.id not in alice.call("GET", "/api/kernels").text
