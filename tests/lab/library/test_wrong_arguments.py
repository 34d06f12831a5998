"""Whatever is given to a function of the library: it works, or it is refused in words, never with a stack of ours."""

from __future__ import annotations

import inspect
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import lab
from credit.errors import CreditError, Malformed
from lab.library.arguments import checked, described, fits
from tests.lab.running_gateway import House

PENALTIES = "SELECT subject, count(*) AS penalties FROM administrative_penalty GROUP BY subject"
# For each function, arguments that are good, or for those that compute would carry out all but one, so that a call
# with another argument in their place ends at once.
GIVEN: dict[str, dict[str, Any]] = {
    "sql": {"query": "SELECT 1 AS one FROM registration LIMIT 1"},
    "sample": {"n": 3},
    "check": {"sql": PENALTIES},
    "features": {"sql": PENALTIES, "subjects": 5},
    "feature": {"name": "penalties"},
    "order": {"sql": PENALTIES, "keep": []},
    "rows": {"features": PENALTIES, "as_of": "2026-03-01", "kind": "none such"},
    "table": {"sql": "SELECT kind, count(*) FROM registration GROUP BY ALL", "as_of": "2026-03-01", "kind": "none"},
    "train": {"order": "not an order", "release": "no-release"},
    "run": {"id": "order-none"},
    "compare": {},
    "carry_out": {"title": "A", "purpose": "To show", "description": "Firms", "sources": "release-0", "submit": False},
}  # fmt: skip
SMALL = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=12),
    st.binary(max_size=8),
    st.dates(),
    st.just(object()),
    st.just(lab),
    st.just(len),
)
NAMES = st.sampled_from(["name", "title", "what", "trials", "a.csv"]) | st.text(max_size=8)
VALUES = st.recursive(
    SMALL,
    lambda some: st.lists(some, max_size=3) | st.dictionaries(st.text(max_size=8), some, max_size=3),
    max_leaves=5,
)
CALLS = [(name, parameter) for name in lab.__all__ for parameter in inspect.signature(getattr(lab, name)).parameters]


@pytest.mark.parametrize(("name", "parameter"), CALLS, ids=lambda each: str(each))
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(value=VALUES)
def test_an_argument_is_used_or_refused_in_words(kernel: House, name: str, parameter: str, value: Any) -> None:
    function, arguments = getattr(lab, name), GIVEN.get(name, {})
    positional: tuple[Any, ...] = ()
    if (kind := inspect.signature(function).parameters[parameter].kind) is inspect.Parameter.VAR_POSITIONAL:
        positional = (value,)
    elif kind is inspect.Parameter.VAR_KEYWORD:
        arguments = arguments | {"training": value}
    else:
        arguments = arguments | {parameter: value}
    words: tuple[str, ...] = ()
    try:
        words = (repr(function(*positional, **arguments)),)
    except CreditError as refused:
        words = (refused.text("what", "zh"), refused.text("what", "en"))
    assert all(words)


@pytest.mark.parametrize("name", lab.__all__)
def test_an_argument_that_a_function_does_not_take_is_named_with_those_that_it_takes(name: str) -> None:
    with pytest.raises(Malformed, match=r"other arguments than it takes|cannot use") as refused:
        getattr(lab, name)(*[object()] * 20)
    if name != "order":  # takes keys of the declaration
        with pytest.raises(Malformed, match="it has no argument `colour`"):
            getattr(lab, name)(colour="red")
    assert "lab.help" in str(refused.value)


def test_what_is_lacking_is_named() -> None:
    with pytest.raises(Malformed, match="title, purpose, description, sources must be given"):
        lab.carry_out(Path("a.csv"))  # type: ignore[call-arg]


@pytest.mark.parametrize("feature", [{}, {"title": "a"}, {"name": 5}, {"name": None}])
def test_a_feature_without_a_name_is_refused(kernel: House, feature: dict[str, Any]) -> None:
    with pytest.raises(Malformed, match="has no name"):
        lab.order(sql=PENALTIES, features=[feature], keep=[])


def test_a_day_for_a_number_is_refused_in_both_languages() -> None:
    with pytest.raises(Malformed) as refused:
        lab.sample("five")  # type: ignore[arg-type]
    assert "`n` is a value of type str, and it takes int" in refused.value.in_language("en")
    assert "n 的类型是 str，而它接受 int" in refused.value.in_language("zh")


@given(st.one_of(st.integers(), st.text(), st.dates(), st.none(), st.lists(st.text(max_size=3))))
def test_what_fits_is_passed_on_as_it_is(value: Any) -> None:
    def same(value: int | str | date | list[str] | None) -> Any:
        return value

    assert checked(same)(value) == value
    assert fits(value, int | str | date | list[str] | None)
    assert described(int | list[str] | None) == "int | list[str] | None"
