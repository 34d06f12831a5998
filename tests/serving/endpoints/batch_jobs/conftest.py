"""Fixtures of jobs: the bank bohai sending files, and the worker by hand."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

import pytest

from serving.app.wiring import background_stores, open_service
from serving.audit.signatures import HEADER, verify
from serving.endpoints.batch_jobs.job_scoring import work
from serving.responses.job_columns import INPUT_COLUMNS


class Bank:
    """The bank bohai sending files, and the worker by hand."""

    def __init__(self, running: Any) -> None:
        self.running, self.world = running, running.world
        self.service = open_service(self.world.settings())
        self.service.snapshots.refresh()
        self.watches, self.jobs = background_stores(self.service)

    def request(self, method: str, path: str, content: bytes | None = None, bank: str = "bohai") -> Any:
        headers = {"Authorization": f"Bearer {self.running.token(bank)}", "Content-Type": "text/csv"}
        return self.running.http.request(method, path, content=content, headers=headers)

    def send(self, lines: list[str]) -> str:
        answer = self.request("POST", "/v1/jobs", "\n".join([",".join(INPUT_COLUMNS), *lines]).encode())
        assert answer.status_code == 200, answer.text
        return str(answer.json()["job_id"])

    def work(self) -> None:
        while work(self.service, self.jobs):
            pass

    def rows(self, name: str) -> list[dict[str, str]]:
        answer = self.request("GET", f"/v1/jobs/{name}/result")
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "text/csv"
        verify(answer.content, answer.headers[HEADER], self.world.ring)
        return list(csv.DictReader(io.StringIO(answer.text)))

    def files_left(self) -> set[str]:
        return {path.name for path in self.jobs.folder.iterdir()}


@pytest.fixture
def bank(serve: Any) -> Iterator[Bank]:
    with serve(chores=False) as running:
        made = Bank(running)
        yield made
        made.service.ledger_writer.close()
        made.service.access.close()
