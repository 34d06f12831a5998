"""Every cell is in the ledger before its kernel receives it: user, kernel, time, digest of the code, and no output."""

from __future__ import annotations

from pathlib import Path

import pytest

from credit.canonical import digest
from tests.lab.workspace.conftest import Lab
from tests.lab.workspace.workspace_client import Kernel, WorkspaceClient

pytestmark = [pytest.mark.servers, pytest.mark.attack]


def test_a_cell_is_recorded_with_its_code_and_without_its_output(lab: Lab, kernel: Kernel) -> None:
    code = "word = 'quiet'; print(word.upper() + str(6 * 7))"
    assert kernel.run(code).strip() == "QUIET42"
    entries = [e for e in lab.home.ledger("research").entries() if e.verb == "cell.executed"]
    own = next(e for e in reversed(entries) if e.details["code"] == digest(code.encode()))
    assert str(own.by) == "researcher:alice"
    assert own.details["project"] == "thinfiles"
    assert own.details["kernel"] == kernel.id
    kept = lab.home.root / "lab" / "airlock" / "cells" / digest(code.encode())
    assert kept.read_text() == code
    everything = b"".join(path.read_bytes() for path in Path(lab.home.root / "ledgers").glob("*.jsonl"))
    assert b"QUIET42" not in everything


def test_silent_cells_and_expressions_are_cells_too(lab: Lab, alice: WorkspaceClient, kernel: Kernel) -> None:
    before = _count(lab)
    kernel.run("silently = 1")
    assert _count(lab) == before + 1


def test_code_in_other_messages_does_not_reach_the_kernel(lab: Lab, kernel: Kernel) -> None:
    """The debugger evaluates expressions; its messages are not allowed."""
    with pytest.raises(TimeoutError):
        kernel.run("__import__('os').mkdir('by-the-debugger')", kind="debug_request", channel="control", timeout=3)
    assert "False" in kernel.run("import os; print(os.path.exists('by-the-debugger'))")


def test_a_cell_that_cannot_be_recorded_is_not_run(lab: Lab, kernel: Kernel) -> None:
    """For example a cell that is too large to store: the notebook shows the reason."""
    output = kernel.run("ran = True\n#" + "x" * (1_200_000))
    assert "NotRun" in output
    assert "False" in kernel.run("print('ran' in dir())")


def _count(lab: Lab) -> int:
    return sum(entry.verb == "cell.executed" for entry in lab.home.ledger("research").entries())


def test_the_machine_and_not_the_kernel_reports_what_a_cell_read(lab: Lab, alice: WorkspaceClient) -> None:
    """Also when the cell reads without ``lab.sql``, in another process, and reports nothing."""
    kernel = alice.kernel()
    code = (
        "import subprocess, glob\n"
        "rows = open(sorted(glob.glob('/data/tax_credit_rating/*'))[0], 'rb').read()\n"
        "subprocess.run(['sh', '-c', 'head -c 9 /data/administrative_licence/*; sleep 0.3'], capture_output=True)"
    )
    kernel.run(code)
    kernel.run("'another cell'")
    read = [e for e in lab.home.ledger("research").entries() if e.verb == "cell.read"]
    own = [e for e in read if e.object == f"cell-{digest(code.encode())}"]
    assert own, [e.details for e in read]
    assert "tax_credit_rating" in own[0].details["tables"]
    assert own[0].details["witness"] == "machine"
    assert all(len(each) == 64 for each in own[0].details["tables"].values())
    kernel.shut()
