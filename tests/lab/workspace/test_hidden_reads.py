"""Whatever a kernel does and says, each read of a table is in the ledger, of its own kernel, before it has a byte."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from credit.canonical import digest
from tests.lab.workspace.conftest import Lab
from tests.lab.workspace.hidden_code import code_tries
from tests.lab.workspace.hidden_reads import passed_on, tries
from tests.lab.workspace.read_trial import ReadTrial, described
from tests.lab.workspace.workspace_client import Kernel, WorkspaceClient

pytestmark = [pytest.mark.servers, pytest.mark.attack]

TABLES = ("registration", "administrative_penalty", "administrative_licence", "tax_credit_rating", "loan_performance")
TRIED, CODE_TRIED = 30, 36


@pytest.fixture
def kernel(alice: WorkspaceClient) -> Iterator[Kernel]:
    """A kernel that no other test has."""
    started = alice.kernel()
    yield started
    started.shut()


def test_no_read_is_unseen(lab: Lab, kernel: Kernel) -> None:
    unseen = ReadTrial(lab.home, kernel).unseen(tries(TRIED, TABLES))
    assert not unseen, described(unseen)


def test_no_code_of_the_home_is_unseen(lab: Lab, kernel: Kernel) -> None:
    """What runs from a file of the home is kept as it was, whatever is done to the file afterwards."""
    unseen = ReadTrial(lab.home, kernel).unseen_code(code_tries(CODE_TRIED))
    assert not unseen, described(unseen)


def test_a_read_is_of_the_kernel_whose_process_made_it(lab: Lab, alice: WorkspaceClient, kernel: Kernel) -> None:
    """Also when another kernel opened the file and passed it on."""
    giver, taker = alice.kernel(), kernel
    giver.run(
        "import os, socket, threading\n"
        "s = socket.socket(socket.AF_UNIX); s.bind('/home/lab/.pass'); s.listen()\n"
        "fd = os.open('/data/tax_credit_rating/bucket-000.parquet', 0)\n"
        "threading.Thread(target=lambda: socket.send_fds(s.accept()[0], [b'x'], [fd])).start()"
    )
    code = (
        "import os, socket\nc = socket.socket(socket.AF_UNIX); c.connect('/home/lab/.pass')\n"
        "fd = socket.recv_fds(c, 1, 1)[1][0]; print(len(os.pread(fd, 64, 0)))"
    )
    assert taker.run(code).strip() == "64"
    read = [e for e in lab.home.ledger("research").entries() if e.verb == "cell.read"]
    (own,) = [e for e in read if e.object == f"cell-{digest(code.encode())}"]
    assert own.details["kernel"] == taker.id
    assert set(own.details["tables"]) == {"tax_credit_rating"}
    giver.run("os.unlink('/home/lab/.pass')")
    giver.shut()


def test_what_a_kernel_passed_on_before_it_ended_is_read_with_an_entry(
    lab: Lab, alice: WorkspaceClient, kernel: Kernel
) -> None:
    """A file, or a folder in which one is opened later, leads through the mounts of a kernel that is no more."""
    unseen = []
    for each in passed_on(TABLES):
        giver = alice.kernel()
        assert giver.run(each.give) == ""
        assert kernel.run(each.take) == ""
        giver.shut()
        assert kernel.run(each.wait).strip() == "ended"
        assert giver.id not in alice.call("GET", "/api/kernels").text
        before = len([e for e in lab.home.ledger("research").entries() if e.verb == "cell.read"])
        assert "PAR1" in kernel.run(each.read)
        new = [e for e in lab.home.ledger("research").entries() if e.verb == "cell.read"][before:]
        own = [e for e in new if e.details["kernel"] == kernel.id and each.table in e.details["tables"]]
        if not any(e.object == f"cell-{digest(each.read.encode())}" for e in own):
            unseen.append(each.read)
    assert not unseen, described(unseen)


def test_code_that_a_folder_of_an_ended_kernel_leads_to_is_recorded(
    lab: Lab, alice: WorkspaceClient, kernel: Kernel
) -> None:
    given = next(passed_on(TABLES))
    giver, code = alice.kernel(), "print('run from a folder that was passed on')"
    kernel.run(f"open('/home/lab/passed.py', 'w').write({code!r})")
    giver.run(given.give.replace("fd = ", "fd = os.open('/home/lab', os.O_PATH) #"))
    kernel.run(given.take)
    giver.shut()
    assert kernel.run(given.wait).strip() == "ended"
    assert "passed on" in kernel.run("exec(open(os.open('passed.py', 0, dir_fd=fd)).read())")
    entries = [e for e in lab.home.ledger("research").entries() if e.object == f"cell-{digest(code.encode())}"]
    assert [e.details["kernel"] for e in entries] == [kernel.id]


def test_a_read_between_cells_is_recorded_as_such(lab: Lab, kernel: Kernel) -> None:
    code = (
        "import threading, time\ndef later():\n    time.sleep(.3)\n"
        "    open('/data/loan_performance/bucket-000.parquet', 'rb').read(9); open('/home/lab/.read', 'w').write('x')\n"
        "threading.Thread(target=later).start()"
    )
    kernel.run(code)
    deadline = "import os, time\nwhile not os.path.exists('/home/lab/.read'): time.sleep(.01)"
    reads = [e.details for e in lab.home.ledger("research").entries() if e.verb == "cell.read"]
    while not any(e["kernel"] == kernel.id for e in reads):
        reads = [e.details for e in lab.home.ledger("research").entries() if e.verb == "cell.read"]
    (own,) = [e for e in reads if e["kernel"] == kernel.id]
    assert "code" not in own, "no cell ran"
    assert own["after"] == digest(code.encode())
    kernel.run(deadline)


def test_cells_that_wait_run_in_their_order_and_none_after_an_error(kernel: Kernel) -> None:
    """One cell at a time is passed to the kernel; the others wait in the server, and fall when one before them fails."""
    outputs = kernel.run_all(["word = 'a'", "word += 'b'; print(word)", "1 / 0", "word += 'c'", "print('never')"])
    assert outputs[1].strip() == "ab"
    assert outputs[2].startswith("!ZeroDivisionError")
    assert outputs[3] == outputs[4] == "!aborted"
    assert kernel.run("print(word)").strip() == "ab"
