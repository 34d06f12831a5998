"""What a kernel sends is written again: no element, attribute, address, kind or message is left that could act."""

from __future__ import annotations

import base64
import io
import json
from html.parser import HTMLParser
from typing import Any

import matplotlib
import nbformat
import pandas
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from lab.library.display import html as own_display
from lab.workspace.outputs import browser_messages, bundles, html, kernel_messages, notebooks, pictures
from tests.lab.workspace.output_escapes import ACTS, ADDRESSES, SPELLINGS, escapes

pytestmark = pytest.mark.attack
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\nrest").decode()
texts = st.builds(
    lambda act, at, spelled: spelled(act.format(at=at.format(to="https://sink.example/1", n=1), to="x", n=1)),
    st.sampled_from(ACTS),
    st.sampled_from(ADDRESSES),
    st.sampled_from(SPELLINGS),
)


class Left(HTMLParser):
    """Collects what a browser would find in HTML."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]


def require_inert(text: str) -> None:
    left = Left(text)
    assert left.tags <= html.TAGS | {"style"}, left.tags
    for name, value in left.attributes:
        assert name in {each for of_tag in html.ATTRIBUTES.values() for each in of_tag}
        assert name != "src" or pictures.is_data_url(value)
        assert name != "style" or "url" not in value


@settings(deadline=None, max_examples=300)
@given(st.lists(texts, min_size=1, max_size=4).map("".join))
def test_html_is_inert_and_cleaning_it_again_changes_nothing(text: str) -> None:
    cleaned = html.clean(text)
    require_inert(cleaned)
    assert html.clean(cleaned) == cleaned
    require_inert(html.of_markdown(text))


def test_every_escape_loses_what_acts_in_every_carrier() -> None:
    tried = list(escapes(1000))
    for each in tried:
        data, _ = bundles.clean(each.bundle)
        assert set(data) <= {"text/plain", "text/html", "image/svg+xml", *pictures.BEGINNINGS}
        require_inert(data.get("text/html", ""))
        assert "href" not in data.get("image/svg+xml", "").replace('href="#', "")
    assert {each.carrier for each in tried} > {"display", "comm"}


def test_tables_and_figures_look_as_before() -> None:
    frame = pandas.DataFrame({"kind": ["a", "b"], "firms": [1, 2]})
    for shown in (frame._repr_html_(), pl.DataFrame({"firms": [1]})._repr_html_(), frame.to_html()):
        kept, given_ = Left(html.clean(shown)), Left(shown)
        assert kept.tags - {"style"} == given_.tags - {"style"}
        assert "<style>" in html.clean(shown) or "<style" not in shown
    for shown in (own_display.table(["a", "b"], [[1, 2]], caption="c", right=[1]), own_display.progress("x", 1, 3)):
        assert html.clean(shown) == shown
    with matplotlib.rc_context({"svg.hashsalt": "1"}):
        figure = Figure()
        figure.add_subplot().plot([1, 3, 2])
        file = io.StringIO()
        figure.savefig(file, format="svg")
    drawn = pictures.drawing(file.getvalue())
    assert drawn is not None
    assert drawn.count("<path") == file.getvalue().count("<path")
    assert drawn.count("<use") == file.getvalue().count("<use")
    data, sizes = bundles.clean({"image/png": PNG}, {"image/png": {"width": 3, "isolated": True}, "other": 1})
    assert (data, sizes) == ({"image/png": PNG}, {"image/png": {"width": 3}})


def test_a_notebook_that_a_kernel_wrote_is_written_again() -> None:
    bundle: dict[str, Any] = {"text/html": ["<a href='https://x'>", "go</a>"], "application/javascript": "1"}
    cell = {"cell_type": "code", "metadata": {"x": 1, "tags": ["kept"]}, "outputs": [
        {"output_type": "display_data", "data": bundle, "metadata": {}}, {"output_type": "unknown"}]}  # fmt: skip
    text = {
        "cell_type": "markdown",
        "source": "x",
        "metadata": {},
        "attachments": {"a": {"image/svg+xml": "<svg/>", "image/png": PNG}},
    }
    cleaned = notebooks.clean({"cells": [cell, text], "metadata": {"widgets": {}, "kernelspec": {}}})
    assert cleaned["metadata"] == {"kernelspec": {}}
    assert cleaned["cells"][0]["outputs"] == [
        {"output_type": "display_data", "data": {"text/html": "go"}, "metadata": {}}
    ]
    assert cleaned["cells"][0]["metadata"] == {"tags": ["kept"]}
    assert cleaned["cells"][1]["attachments"] == {"a": {"image/png": PNG}}


@pytest.mark.parametrize(
    "kind", ["comm_open", "comm_msg", "input_request", "debug_event", "lab_tables_read", "iopub_welcome", ""]
)
def test_a_message_of_another_kind_does_not_reach_the_browser(kind: str) -> None:
    assert kernel_messages.rewritten({"msg_type": kind}, {}, {}) is None


def test_a_kernel_puts_no_link_into_the_menu_of_help() -> None:
    content = {
        "banner": "x",
        "help_links": [{"text": "x", "url": "https://x"}],
        "language_info": {"mimetype": "text/x-evil"},
    }
    message = kernel_messages.rewritten({"msg_type": "kernel_info_reply", "msg_id": "1"}, {}, content)
    assert message is not None
    assert message[2]["help_links"] == []
    assert message[2]["language_info"]["mimetype"] == "text/x-python"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(sorted(kernel_messages.KINDS)), st.data())
def test_no_message_of_a_kernel_is_an_error_of_the_server(kind: str, data: st.DataObject) -> None:
    names = ("data", "metadata", "transient", "payload", "user_expressions", "history", "matches", "status", "text")
    content = {name: data.draw(json_values) for name in names}
    written = kernel_messages.rewritten({"msg_type": kind}, data.draw(json_values), content)
    assert written is not None


@pytest.mark.parametrize(
    "kind", ["comm_open", "comm_msg", "comm_close", "input_reply", "debug_request", "create_subshell_request", ""]
)
def test_a_kernel_receives_no_message_that_carries_code_unrecorded(kind: str) -> None:
    header = {"msg_type": kind, "msg_id": "a" * 32, "session": "b" * 32}
    assert browser_messages.rewritten("shell", header, {"code": "1", "data": {}, "value": "1"}) is None


def test_all_text_that_a_kernel_receives_is_recorded() -> None:
    marked = {
        "code": "CODE",
        "cursor_pos": 2,
        "user_expressions": {"NAME": "TEXT"},
        "value": "HIDDEN",
        "pattern": "HIDDEN",
        "extra": "HIDDEN",
    }
    for kind in browser_messages.KINDS:
        header = {
            "msg_type": kind,
            "msg_id": "a" * 32,
            "session": "b" * 32,
            "username": "HIDDEN",
            "subshell_id": "HIDDEN",
        }
        message = browser_messages.rewritten("stdin", header, marked)
        assert message is not None
        assert message.channel in ("shell", "control")
        sent = f"{message.header}{message.content}"
        assert "HIDDEN" not in sent
        for word in ("CODE", "NAME", "TEXT"):
            assert word not in sent or word in message.code
        assert message.content.get("allow_stdin", False) is False


def test_a_name_of_a_message_that_could_carry_text_is_refused() -> None:
    for name in ("import os", "é" * 8, "a" * 200, ""):
        header = {"msg_type": "execute_request", "msg_id": name, "session": "b" * 32}
        assert browser_messages.rewritten("shell", header, {"code": "1"}) is None


@given(output=st.sampled_from(["stream", "error", "display_data", "execute_result"]), text=st.text(max_size=20))
def test_a_notebook_with_outputs_is_still_one_that_can_be_stored(output: str, text: str) -> None:
    """JupyterLab stores a copy of each notebook that it opens."""
    kinds = {
        "stream": {"name": "stdout", "text": text},
        "error": {"ename": text, "evalue": text, "traceback": [text]},
        "display_data": {"data": {"text/plain": text}, "metadata": {}},
        "execute_result": {"data": {"text/plain": text}, "metadata": {}, "execution_count": 1},
    }
    shown = {"output_type": output, **kinds[output]}
    picture = {"p.png": {"image/png": "iVBORw0KGgo="}}
    cells = [
        {"cell_type": "code", "source": "1", "metadata": {}, "outputs": [shown], "execution_count": 1, "id": "a"},
        {"cell_type": "markdown", "source": "a", "metadata": {}, "attachments": picture, "id": "b"},
    ]
    stored = json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells})
    cleaned = notebooks.clean(nbformat.reads(stored, as_version=4))
    again = nbformat.reads(nbformat.writes(cleaned, version=nbformat.NO_CONVERT), as_version=4)
    assert notebooks.clean(again) == cleaned
