"""In a real kernel the magic checks SQL, errors are readable, tables read are reported, and Ctrl-C only ends the
wait.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import start_new_kernel

from lab.library.read_report import MESSAGE
from tests.lab.running_gateway import House

ROOT = Path(__file__).parents[3]
SQL = "SELECT subject, count(*) AS penalties FROM administrative_penalty GROUP BY subject"


class KernelClient:
    """A client that runs cells in a real kernel."""

    def __init__(self, manager: Any, client: BlockingKernelClient) -> None:
        self.manager, self.client = manager, client

    def start(self, code: str) -> str:
        return str(self.client.execute(code, allow_stdin=False))

    def messages_of(self, request: str, seconds: float = 30) -> list[tuple[str, dict[str, Any]]]:
        """The messages that the kernel published for a request until it was idle again."""
        messages = []
        while True:
            message = self.client.get_iopub_msg(timeout=seconds)
            if message["parent_header"].get("msg_id") == request:
                messages.append((message["msg_type"], message["content"]))
                if messages[-1] == ("status", {"execution_state": "idle"}):
                    return messages

    def run(self, code: str) -> list[tuple[str, dict[str, Any]]]:
        return self.messages_of(self.start(code))


@pytest.fixture(scope="module")
def kernel_client(house: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KernelClient]:
    """Alice's kernel in the project on loans, with its data and its gateway; all tests share it."""
    place = tmp_path_factory.mktemp("kernel")
    with pytest.MonkeyPatch.context() as env:
        env.setenv("HAIHE_LAB_DATA", str(house.mounted(place / "data")))
        env.setenv("HAIHE_LAB_GATEWAY", house.open("alice", "loans")["kernel"])
        env.setenv("PYTHONPATH", str(ROOT))
        env.setenv("IPYTHONDIR", str(place / "ipython"))
        manager, client = start_new_kernel(cwd=str(place))
    try:
        opened = KernelClient(manager, client)
        opened.run("import lab")
        yield opened
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        manager.cleanup_resources()


def of(kind: str, published: list[tuple[str, dict[str, Any]]]) -> list[dict[str, Any]]:
    return [content for name, content in published if name == kind]


def test_the_magic_checks_shows_and_keeps_the_features(kernel_client: KernelClient) -> None:
    published = kernel_client.run(f"%%features mine --as-of 2025-01-01\n{SQL}")
    (shown,) = of("execute_result", published)
    assert "penalties" in shown["data"]["text/html"]
    assert "as of 2025-01-01" in shown["data"]["text/plain"]
    assert of(MESSAGE, published) == [{"tables": ["administrative_penalty"]}]
    assert of("stream", published) == []
    (named,) = of("execute_result", kernel_client.run("mine.names"))
    assert named["data"]["text/plain"] == "('penalties',)"
    published = kernel_client.run(f"%%features\n{SQL.replace('count(*)', 'sum(fines)')}")
    (error,) = of("error", published)
    assert "Did you mean fine?" in "".join(error["traceback"])


def test_an_error_is_words_and_not_frames_and_stops_a_run_of_cells(kernel_client: KernelClient) -> None:
    published = kernel_client.run("lab.sql('SELECT fin FROM administrative_penalty')")
    (error,) = of("error", published)
    assert error["traceback"] == ["There is no column fin", "  next: Did you mean fine?"]
    (other,) = of("error", kernel_client.run("1 / 0"))
    assert "ZeroDivisionError" in "".join(other["traceback"]), "other errors are as ever"


def test_a_cell_that_reads_nothing_reports_nothing(kernel_client: KernelClient) -> None:
    assert of(MESSAGE, kernel_client.run("1 + 1")) == []
    query = "SELECT count(*) FROM registration r JOIN loan_performance l USING (subject)"
    published = kernel_client.run(f"_ = lab.sql('{query}')")
    assert of(MESSAGE, published) == [{"tables": ["loan_performance", "registration"]}]


def test_interrupted_the_training_goes_on_and_is_come_back_to(kernel_client: KernelClient, house: House) -> None:
    kernel_client.run(f"order = lab.order(sql={SQL!r}, keep=[], training={{'seed': {time.time_ns() % 10**6}}})")
    request = kernel_client.start("run = lab.train(order)")
    limit = time.monotonic() + 20
    while (
        not [e for e in house.entries("training.asked") if e.details["project"] == "loans"] and time.monotonic() < limit
    ):
        time.sleep(0.1)
    time.sleep(1.0)
    kernel_client.manager.interrupt_kernel()
    published = kernel_client.messages_of(request)
    assert of("error", published) == []
    shown = of("display_data", published) + of("update_display_data", published)
    assert "<progress" in shown[0]["data"]["text/html"]
    assert "The training goes on" in shown[-1]["data"]["text/html"]
    (state,) = of("execute_result", kernel_client.run("lab.run(run.short).state, run.cancel().state"))
    assert state["data"]["text/plain"] == "('waiting', 'cancelled')"


def test_interrupted_rows_end_in_words_and_not_in_a_stack(kernel_client: KernelClient, house: House) -> None:
    """While no agent makes the order, the wait says so; the order is kept."""
    before = len(house.entries("rows.asked"))
    request = kernel_client.start(f"rows = lab.rows({SQL!r}, as_of='2025-01-01')")
    shown: list[dict[str, Any]] = []
    while not (house.entries("rows.asked")[before:] and any("waiting" in str(each) for each in shown)):
        message = kernel_client.client.get_iopub_msg(timeout=60)
        shown.append(message["content"].get("data", {}))
    kernel_client.manager.interrupt_kernel()
    (error,) = of("error", kernel_client.messages_of(request))
    assert error["traceback"] == [
        "You stopped waiting",
        "  why: the order is kept, and compute makes it without you",
        "  next: Run the same cell again to come back to it: the same order is not made twice",
    ]


def test_a_name_that_the_library_does_not_have_is_refused_in_words(kernel_client: KernelClient) -> None:
    (error,) = of("error", kernel_client.run("lab.catalog()"))
    assert error["traceback"] == ["lab has no catalog", "  next: Did you mean catalogue?"]
    (result,) = of("execute_result", kernel_client.run("hasattr(lab, 'catalog'), hasattr(lab, '__wrapped__')"))
    assert result["data"]["text/plain"] == "(False, False)"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("lab.catalogue().", "administrative_penalty"),
        ("lab.catalogue().administrative_penalty.", "fine"),
        ("lab.catalogue('罚款').administrative_penalty.", "fine"),
        ("tables.administrative_penalty.", "fine"),
        ("tables['administrative_penalty'].", "fine"),
    ],
)
def test_tab_completes_tables_and_columns_as_the_first_notebook_promises(
    kernel_client: KernelClient, code: str, expected: str
) -> None:
    kernel_client.run("from lab.kernel import completion\ncompletion.install(get_ipython())\ntables = lab.catalogue()")
    reply = kernel_client.client.complete(code, len(code), reply=True, timeout=30)
    assert any(match.endswith(expected) for match in reply["content"]["matches"])
