"""Runs tries of reading and of running code in a kernel, and finds those of which the ledger has no record."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass

from credit.canonical import digest
from credit.ledger import Entry
from infra.home import Home
from tests.lab.workspace.hidden_code import CodeTry
from tests.lab.workspace.hidden_reads import ReadTry
from tests.lab.workspace.workspace_client import Kernel

_IS_DONE = "import os; print('DONE' if os.path.exists({done!r}) and os.path.getsize({done!r}) else 'NOT DONE')"
SECONDS = 60.0  # after which a try does not work


@dataclass(frozen=True, slots=True)
class ReadTrial:
    """A kernel of a workspace, and the home in whose ledger its reads must stand."""

    home: Home
    kernel: Kernel

    def unseen(self, tries: Iterable[ReadTry]) -> list[str]:
        """The cells of those tries that got bytes of which this kernel has no record."""
        return [each.cell for each in tries if not self.is_seen(each)]

    def is_seen(self, one: ReadTry) -> bool:
        """True when the ledger has the read, made while the try went on, of this kernel and this table."""
        if one.earlier:
            assert "!" not in self.kernel.run(one.earlier)
        before = self._entries()
        output = self.kernel.run(one.cell)
        waited = self._wait(one.done)
        assert waited.strip() == "DONE", f"the try itself does not work: {output} {waited}\n{one.cell}"
        new = self._entries()[len(before) :]
        return any(
            entry.details["kernel"] == self.kernel.id
            and entry.details["witness"] == "machine"
            and one.table in entry.details.get("tables", {})
            for entry in new
        )

    def _wait(self, done: str) -> str:
        """Look until a try is done, in short cells: some go on only while no cell runs."""
        limit = time.monotonic() + SECONDS
        while "NOT" in (answer := self.kernel.run(_IS_DONE.format(done=done))) and time.monotonic() < limit:
            pass
        return answer

    def _save(self, name: str, text: str) -> None:
        """Save a file as a browser does."""
        saved = {"type": "file", "format": "text", "content": text}
        answer = self.kernel.session.call("PUT", f"/api/contents/{name}", json=saved)
        assert answer.status_code in (200, 201), answer.text

    def _entries(self) -> list[Entry]:
        return [entry for entry in self.home.ledger("research").entries() if entry.verb == "cell.read"]

    def unseen_code(self, tries: Iterable[CodeTry]) -> list[str]:
        """The cells of those tries that ran code whose text no record of this kernel keeps."""
        return [each.cell for each in tries if not self._is_code_seen(each)]

    def _is_code_seen(self, one: CodeTry) -> bool:
        """True when the code, as it was when it ran, is kept under a digest that the ledger has of this kernel."""
        self._save(one.name, one.text)
        output = self.kernel.run(one.cell)
        waited = self._wait(one.done)
        assert waited.strip() == "DONE", f"the try itself does not work: {output} {waited}\n{one.cell}"
        self._save(one.name, "nothing")
        name = digest(one.text.encode())
        kept = self.home.root / "lab" / "airlock" / "cells" / name
        if not kept.exists() or kept.read_text() != one.text:
            return False
        return any(
            name in entry.object and entry.details["kernel"] == self.kernel.id
            for entry in self.home.ledger("research").entries()
            if entry.verb in ("cell.executed", "file.opened")
        )


def described(unseen: list[str]) -> str:
    """Cells as one line each, for a failed test."""
    return "\n".join(json.dumps(cell)[:300] for cell in unseen)
