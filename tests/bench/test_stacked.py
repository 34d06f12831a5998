"""A stacked bar is as long as the sum of its parts, and a part has one colour in every bar."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.stacked_bars import COLOURS, HIGH, LEFT, SPAN, stacked

PARTS = st.dictionaries(st.sampled_from("abcdefgh"), st.floats(0.1, 500), min_size=1)
BARS = st.dictionaries(st.sampled_from(["by code", "<features> & more"]), PARTS, min_size=1)


@given(BARS)
def test_bars_are_drawn_to_one_scale(bars: dict[str, dict[str, float]]) -> None:
    drawn = [one.attrib for one in ET.fromstring(stacked("title", bars)).iter() if one.tag.endswith("rect")]
    most = max(sum(parts.values()) for parts in bars.values())
    colours = {}
    for place, parts in enumerate(bars.values()):
        row = [one for one in drawn if one.get("y") == str(36 + place * HIGH) and one["height"] == "30"]
        assert float(row[0]["x"]) == LEFT
        for name, one in zip(parts, row, strict=True):
            assert float(one["width"]) == pytest.approx(parts[name] / most * SPAN, abs=0.06)
            assert colours.setdefault(name, one["fill"]) == one["fill"]
    assert len(set(colours.values())) == len(colours)


def test_colours_are_colours_and_no_two_are_alike() -> None:
    assert len(set(COLOURS)) == len(COLOURS)
    assert all(re.fullmatch("#[0-9A-Fa-f]{6}", colour) for colour in COLOURS)
