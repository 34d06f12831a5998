"""The effect of a feature as a notebook shows it."""

from __future__ import annotations

import pytest

from lab.library.effects import Dependence


@pytest.mark.parametrize(("values", "points"), [((), ()), ((1.0,), (600,)), ((-2.0, 0.5, 7.0), (640, 600, 580))])
def test_a_dependence_is_shown_whatever_its_number_of_values(
    values: tuple[float, ...], points: tuple[int, ...]
) -> None:
    shown = Dependence("fines_24m", values, points, 560, 610)
    assert len(shown.to_pandas()) == len(values) + 2
    assert "610" in repr(shown)
    assert shown.plot().axes[0].get_title() == "fines_24m"
