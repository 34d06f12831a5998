"""What leaves of a text is written from its model: a fixed point, blind to spelling, and shown whole."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.airlock.characters import refused_characters
from lab.airlock.files.file_kinds import FileKind, detect_kind
from lab.airlock.issue import Issue
from lab.airlock.kinds.file_format import ReadFile
from lab.airlock.kinds.registry import format_of
from lab.airlock.thresholds import load
from tests.lab.airlock.gate_runs import judge
from tests.lab.airlock.kinds.texts.text_seeds import (
    CHINESE,
    CODE,
    DAMAGE,
    PRINTED,
    REPORT,
    SEEDS,
    cell,
    damaged,
    notebook,
)

pytestmark = pytest.mark.attack
T = load()


def read(name: str, content: bytes) -> ReadFile[object] | Issue:
    kind = detect_kind(name, content)
    if isinstance(kind, Issue):
        return kind
    format = format_of(kind)
    assert format is not None
    return format.read(content, T)


def written(name: str, content: bytes) -> bytes | None:
    """What leaves of a file; None for one that is refused when it is read."""
    got = read(name, content)
    if isinstance(got, Issue):
        return None
    kind = detect_kind(name, content)
    assert isinstance(kind, FileKind)
    format = format_of(kind)
    assert format is not None
    (leaving,) = format.write(name, got.model).values()
    again = read(name, leaving)
    if isinstance(again, Issue) or again.model != got.model:
        return None  # the gate refuses what it cannot write again; the law of seeds says that this is rare
    assert format.write(name, again.model) == {name: leaving}
    assert all(
        line in leaving.decode() or name.endswith("ipynb")
        for block in format.show(got.model).blocks
        for line in block.lines
    )
    return leaving


@pytest.mark.parametrize("name", SEEDS)
def test_an_ordinary_file_is_read_and_written_to_a_fixed_point(name: str) -> None:
    leaving = written(name, SEEDS[name])
    assert leaving is not None
    assert written(name, leaving) == leaving


@pytest.mark.parametrize("name", [name for name in SEEDS if not name.endswith("ipynb")])
@settings(max_examples=120, deadline=None)
@given(changes=st.lists(DAMAGE, min_size=1, max_size=4))
def test_whatever_is_done_to_a_text_it_is_refused_or_a_fixed_point(
    name: str, changes: list[tuple[int, int, str]]
) -> None:
    content = damaged(SEEDS[name].decode(), changes).encode("utf-8", "surrogatepass")
    leaving = written(name, content)
    if leaving is not None:
        assert written(name, leaving) == leaving


blanks = st.lists(st.sampled_from(["", " ", "  ", "\t", " \t "]), min_size=200, max_size=200)


@settings(max_examples=60, deadline=None)
@given(blanks, st.booleans(), st.integers(1, 4), st.booleans())
def test_blanks_line_ends_and_wrapping_change_nothing(ends: list[str], carriage: bool, gap: int, mark: bool) -> None:
    for name, text in (("report.md", REPORT), ("chinese.md", CHINESE), ("notes.txt", PRINTED), ("code.py", CODE)):
        lines = [line + end for line, end in zip(text.split("\n"), ends, strict=False)]
        spelled = "\n".join(lines)
        if name != "notes.txt":
            spelled = spelled.replace("\n\n", "\n" * (gap + 1))
        spelled = ("\ufeff" if mark else "") + (spelled.replace("\n", "\r\n") if carriage else spelled)
        assert written(name, spelled.encode()) == written(name, text.encode()), name


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_where_a_paragraph_is_wrapped_changes_nothing(data: st.DataObject) -> None:
    words = list(re.findall(r"\w+", "We compare the registered version with a new one on the quarter after training"))
    breaks = data.draw(st.lists(st.booleans(), min_size=len(words), max_size=len(words)))
    text = "".join(word + ("\n" if end else " ") for word, end in zip(words, breaks, strict=True))
    assert written("a.md", text.encode()) == (" ".join(words) + "\n").encode()


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_the_layout_of_code_changes_nothing(data: st.DataObject) -> None:
    width = data.draw(st.integers(1, 8))
    space = data.draw(st.sampled_from(["", " ", "  "]))
    quote = data.draw(st.sampled_from(["'", '"']))
    gap = "\n" * data.draw(st.integers(1, 3))
    number = data.draw(st.sampled_from(["16", "0x10", "0b10000", "1_6"]))
    code = f"def f(a,{space}b{space}={space}{number}):{gap}{' ' * width}return {quote}x{quote}{space}+{space}(a)"
    assert written("a.py", code.encode()) == b"def f(a, b=16):\n    return 'x' + a\n"


def test_a_notebook_leaves_as_sources_and_printed_outputs_alone() -> None:
    leaving = written("notebook.ipynb", SEEDS["notebook.ipynb"])
    assert leaving is not None
    got = json.loads(leaving)
    assert got["metadata"] == {"language_info": {"name": "python"}}
    assert [each["cell_type"] for each in got["cells"]] == ["markdown", "code", "code"]
    assert all(each["metadata"] == {} for each in got["cells"])
    assert "| 0 | retail | 120 |" in got["cells"][1]["outputs"][0]["text"]
    assert b"<table>" not in leaving
    assert b"ab12" not in leaving


members = st.text(st.characters(codec="ascii", categories=["Ll"]), min_size=3, max_size=12).filter(
    lambda name: name not in ("source", "metadata", "outputs", "nbformat", "cells")
)


@given(members, st.text(max_size=20), st.sampled_from(["cell", "notebook", "output"]))
@settings(max_examples=60, deadline=None)
def test_a_member_that_notebooks_do_not_have_is_refused(name: str, value: str, where: str) -> None:
    data = json.loads(SEEDS["notebook.ipynb"])
    place = {"cell": data["cells"][1], "notebook": data, "output": data["cells"][1]["outputs"][0]}[where]
    if name in place:
        return
    place[name] = value
    issue = read("n.ipynb", json.dumps(data).encode())
    assert isinstance(issue, Issue)
    assert issue.why.id == "airlock.notebook-member"


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=20), max_size=3), st.integers(0, 99), st.text(max_size=8))
@settings(max_examples=60, deadline=None)
def test_metadata_ids_and_numbers_of_execution_change_nothing(extra: dict[str, str], count: int, name: str) -> None:
    data = json.loads(SEEDS["notebook.ipynb"])
    data["metadata"]["widgets"] = extra
    for each in data["cells"]:
        each["metadata"], each["id"] = extra, name
        if each["cell_type"] == "code":
            each["execution_count"] = count
    assert written("n.ipynb", json.dumps(data).encode()) == written("n.ipynb", SEEDS["notebook.ipynb"])


@pytest.mark.parametrize(
    "output",
    [
        {"output_type": "display_data", "metadata": {}, "data": {"application/javascript": "1", "text/plain": "x"}},
        {"output_type": "display_data", "metadata": {}, "data": {"text/html": "<b>1</b>"}},
        {"output_type": "unknown", "text": "x"},
    ],
)
def test_an_output_that_is_no_printed_text_is_refused(output: dict[str, object]) -> None:
    assert isinstance(read("n.ipynb", notebook(cell("code", "x = 1", outputs=[output]))), Issue)


@given(st.sampled_from(["image/png", "image/jpeg", "image/svg+xml"]), st.text(max_size=30), st.text(max_size=30))
@settings(max_examples=40, deadline=None)
def test_of_a_picture_in_an_output_a_line_leaves(kind: str, picture: str, printed: str) -> None:
    """Whatever the picture and its printed form hold; the author reads in the findings that it is left out."""
    data = {"output_type": "display_data", "metadata": {}, "data": {kind: picture, "text/plain": printed}}
    content = notebook(cell("code", "x = 1", outputs=[data]))
    left = written("n.ipynb", content)
    assert left is not None
    text = json.loads(left)["cells"][0]["outputs"][0]["text"]
    assert text == "(A picture was left out here.)\n"
    findings = [each for each in judge({"n.ipynb": content}).verdict.findings if each.check == "rewritten"]
    assert "1 pictures are left out" in findings[0].why


@given(st.text("ab $\n'", min_size=1, max_size=8), st.sampled_from(["", "x"]))
def test_a_text_between_dollars_is_no_sql_that_leaves(content: str, tag: str) -> None:
    query = f"SELECT ${tag}${content}${tag}$ AS c FROM registration"
    assert isinstance(read("q.sql", query.encode()), Issue), "its blanks are its meaning, which the one form changes"


def test_attachments_and_members_with_two_values_are_refused() -> None:
    assert isinstance(
        read("n.ipynb", notebook(cell("markdown", "a", attachments={"a.png": {"image/png": "aGk="}}))), Issue
    )
    twice = SEEDS["notebook.ipynb"].replace(b'"nbformat": 4', b'"nbformat": 4, "nbformat": 4')
    issue = read("n.ipynb", twice)
    assert isinstance(issue, Issue)
    assert issue.why.id == "airlock.notebook-twice"


@given(st.characters(exclude_categories=["Cs"]))
@settings(max_examples=300, deadline=None)
def test_a_character_leaves_as_itself_in_plain_form_or_not_at_all(char: str) -> None:
    """No character of Unicode carries more than its plain form: what is not on the list is refused by its number."""
    content = f"before {char} after".encode()
    got = written("a.md", content)
    if got is not None:
        again = written("a.md", got)
        assert again == got
        assert refused_characters(got.decode().replace("\n", "")) == []
