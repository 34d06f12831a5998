"""Whatever route of a workspace's server gives the content of a file, the ledger had the file before; else it gives none.

The routes are those of the running server's own table, with the file's place in each, so a new route is tried as soon as
it exists. What the airlock keeps of a parcel is in no answer.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from lab.gateway.display_pace import SHOWN
from lab.workspace.files.shown_files import STATUS
from tests.lab.workspace.conftest import Lab
from tests.lab.workspace.test_route_allow_list import METHODS, sample, table
from tests.lab.workspace.workspace_client import WorkspaceClient

__all__ = ["table"]  # the fixture of every route
pytestmark = [pytest.mark.servers, pytest.mark.attack]
MARK, NAME = "what one firm owes: 73 421", "shown-once.txt"


@pytest.fixture(scope="module")
def home(alice: WorkspaceClient) -> Iterator[WorkspaceClient]:
    """Alice's session, with a file in her home."""
    kernel = alice.kernel()
    kernel.run(f"open({NAME!r}, 'w').write({MARK!r})")
    yield alice
    kernel.run(f"import os; os.path.exists({NAME!r}) and os.remove({NAME!r})")
    kernel.shut()


def shown(lab: Lab, name: str = NAME) -> list[tuple[str, int]]:
    """Digest and bytes of each time that a file was shown to alice, by the ledger."""
    entries = lab.home.ledger("research").about("home-alice")
    return [(e.details["digest"], e.details["bytes"]) for e in entries if e.verb == SHOWN and e.details["name"] == name]


def places(table: list[str]) -> Iterator[str]:
    """The path of every route, with the file where it takes a path or any text."""
    for pattern in table:
        path = sample(pattern)
        yield from {path, path.replace("first.ipynb", NAME), re.sub(r"[^/]*$", NAME, path)}


def test_no_route_gives_a_file_that_was_not_recorded(table: list[str], lab: Lab, home: WorkspaceClient) -> None:
    given = 0
    for path in sorted(set(places(table))):
        for method in METHODS:
            if method == "DELETE" or "/channels" in path or path in ("/logout", "/api/events/subscribe"):
                continue  # these end the session or the file, or are open without an end
            if method in ("PUT", "PATCH") and "/api/contents" in path:
                continue  # they change the file
            before = len(shown(lab))
            answer = home.call(method, path, follow_redirects=False, params={"content": "1"})
            if MARK in answer.text:
                given += 1
                assert len(shown(lab)) == before + 1, f"{method} {path} gave a file of which there is no entry"
    assert given, "the file is shown by at least one route"
    assert set(shown(lab)) == {(hashlib.sha256(MARK.encode()).hexdigest(), len(MARK))}


def test_a_listing_is_recorded_when_it_is_another_one(lab: Lab, home: WorkspaceClient) -> None:
    """The browser asks every ten seconds: names are recorded once, and again when a kernel has changed them."""
    assert home.call("GET", "/api/contents").status_code == 200
    before = len(shown(lab, "/"))
    assert before
    for _ in range(3):
        home.call("GET", "/api/contents")
    assert len(shown(lab, "/")) == before
    kernel = home.kernel()
    kernel.run("open('a-name-that-carries-something.txt', 'w').close()")
    assert "a-name-that-carries-something" in home.call("GET", "/api/contents").text
    assert len(shown(lab, "/")) == before + 1
    kernel.run("import os; os.remove('a-name-that-carries-something.txt')")
    kernel.shut()


def test_what_a_file_is_like_is_recorded_whenever_a_kernel_has_changed_it(lab: Lab, home: WorkspaceClient) -> None:
    """Size, time and digest are a kernel's to choose: no answer has others of them than the ledger had before."""
    kernel, name = home.kernel(), "told-by-its-size.txt"
    for way in ({"content": "0"}, {"content": "0", "hash": "1"}, {"content": "0", "type": "file"}):
        for size in (7, 7, 4135):
            kernel.run(f"import os; open({name!r}, 'w').write('x' * {size}); os.utime({name!r}, (1, {size}))")
            before = len(shown(lab, f"{name}{STATUS}"))
            answer = home.call("GET", f"/api/contents/{name}", params=way)
            assert answer.json()["size"] == size
            after = shown(lab, f"{name}{STATUS}")
            learned = [size, str(datetime.fromtimestamp(size, UTC)), answer.json()["hash"]]
            assert after[-1][0] == hashlib.sha256(json.dumps(learned).encode()).hexdigest()
            assert len(after) <= before + 1
    kernel.run(f"os.remove({name!r})")
    kernel.shut()


def test_what_the_airlock_keeps_is_in_no_answer(table: list[str], lab: Lab, home: WorkspaceClient) -> None:
    """A parcel that was submitted and whose file is gone from the home comes back by no route."""
    kernel = home.kernel()
    kernel.run("open('gone.csv', 'w').write('band,n\\ngone-label-a,4135\\ngone-label-b,5245\\n')")
    printed = kernel.run(
        "import lab, os\n"
        "rows = lab.sql('SELECT kind FROM registration')\n"
        "parcel = lab.carry_out('gone.csv', title='Gone', purpose='To be looked for', description='Firms by band', "
        "subjects=1500, sources=rows, submit=True)\n"
        "os.remove('gone.csv'); print(parcel.state)"
    )
    assert "submitted" in printed, printed
    kernel.shut()
    for path in sorted({*places(table), "/api/contents/gone.csv", "/files/gone.csv"}):
        if "/channels" not in path and path not in ("/logout", "/api/events/subscribe"):
            answer = home.call("GET", path, follow_redirects=False, params={"content": "1"})
            assert "gone-label-a" not in answer.text, path
