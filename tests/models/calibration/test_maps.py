"""Every kind of calibration map rises, is the same for one row and for many, and prices reasons so that they sum."""

from __future__ import annotations

import json
import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credit.errors import Malformed
from models.calibration.maps import MAXIMUM_KNOTS, Beta, CalibrationMap, Isotonic, Platt, read, steepness
from models.dataset.sample import Sample
from models.scoring.scorer import Scorer
from models.scoring.trees.model_text import END
from models.training.fit import VersionContent

TREES = 25
slopes = st.floats(1e-3, 50)


@st.composite
def isotonic(draw: st.DrawFn) -> Isotonic:
    gaps = draw(st.lists(st.tuples(st.floats(1e-3, 3), slopes), min_size=1, max_size=12))
    margins, odds = [draw(st.floats(-8, 2))], [draw(st.floats(-8, 2))]
    for width, slope in gaps:
        margins.append(margins[-1] + width)
        odds.append(odds[-1] + width * slope)
    return Isotonic(tuple(margins), tuple(odds))


maps = st.one_of(
    st.builds(Platt, slopes, st.floats(-9, 9)), st.builds(Beta, slopes, slopes, st.floats(-9, 9)), isotonic()
)
margins = st.lists(st.floats(-30, 30), min_size=1, max_size=40).map(np.array)


@settings(max_examples=300, deadline=None)
@given(maps, margins)
def test_it_rises_and_one_row_alone_is_mapped_as_in_a_batch(way: CalibrationMap, raw: np.ndarray) -> None:
    if isinstance(way, Isotonic):  # the knots themselves, and what lies right beside them
        knots = np.array(way.margins)
        raw = np.concatenate([raw, knots, np.nextafter(knots, -np.inf), np.nextafter(knots, np.inf)])
    odds = way.log_odds(raw)
    assert np.isfinite(odds).all()
    order = np.argsort(raw)
    assert (np.diff(odds[order]) >= 0).all()
    apart = np.diff(raw[order]) > 1e-6
    assert (np.diff(odds[order])[apart] > 0).all(), "and what is apart stays apart"
    assert [way.log_odds(raw[n : n + 1])[0] for n in range(len(raw))] == odds.tolist()
    assert [way.log_odds(each[None])[0] for each in raw] == way.log_odds(np.repeat(raw, 3)[::3]).tolist()


@settings(max_examples=300, deadline=None)
@given(maps)
def test_what_is_written_is_read_back(way: CalibrationMap) -> None:
    assert read(json.loads(json.dumps(way.as_json()))) == way


@settings(max_examples=300, deadline=None)
@given(maps, st.floats(-10, 10), margins, st.floats(0, 1e-6))
def test_a_unit_of_margin_has_a_price_also_at_the_base(
    way: CalibrationMap, base: float, raw: np.ndarray, near: float
) -> None:
    raw = np.concatenate([raw, [base, base + near, base - near]])
    price = steepness(way, base, raw)
    assert np.isfinite(price).all()
    assert (price >= 0).all()
    rise = way.log_odds(raw) - way.log_odds(np.array([base]))
    np.testing.assert_allclose(price * (raw - base), rise, atol=1e-10)


def test_a_map_of_no_kind_is_the_line_of_old_versions() -> None:
    assert read({"slope": 1.5, "intercept": -2}) == Platt(1.5, -2.0)


GOOD: dict[str, dict[str, Any]] = {
    "platt": {"kind": "platt", "slope": 1.0, "intercept": 0.5},
    "beta": {"kind": "beta", "a": 1.0, "b": 0.5, "c": 0.0},
    "isotonic": {"kind": "isotonic", "margins": [-2.0, 0.0, 1.0], "log_odds": [-3.0, 0.0, 0.5]},
}


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("platt", {"kind": "spline"}),
        ("platt", {"kind": None}),
        ("platt", {"kind": ["platt"]}),
        ("platt", {"slope": 0}),
        ("platt", {"slope": "1"}),
        ("platt", {"slope": True}),
        ("platt", {"slope": float("nan")}),
        ("platt", {"intercept": float("inf")}),
        ("platt", {"intercept": 10**400}),
        ("platt", {"a": 1}),
        ("beta", {"a": -1}),
        ("beta", {"b": 0.0}),
        ("beta", {"c": float("nan")}),
        ("beta", {"slope": 1}),
        ("isotonic", {"margins": [-2.0, 0.0]}),
        ("isotonic", {"margins": [0.0, -2.0, 1.0]}),
        ("isotonic", {"margins": [-2.0, -2.0, 1.0]}),
        ("isotonic", {"margins": [-2.0, float("nan"), 1.0]}),
        ("isotonic", {"margins": [-2.0, 5e-324, 1e-323]}),
        ("isotonic", {"margins": [-2.0, float("inf"), 1.0]}),
        ("isotonic", {"margins": "abc"}),
        ("isotonic", {"margins": 1.0}),
        ("isotonic", {"log_odds": [-3.0, 0.0, 0.0]}),
        ("isotonic", {"log_odds": [-3.0, 0.5, 0.0]}),
        ("isotonic", {"log_odds": [-3.0, 0.0, 1e300]}),
        ("isotonic", {"margins": [0.0], "log_odds": [0.0]}),
        ("isotonic", {"margins": [], "log_odds": []}),
        ("isotonic", {"margins": list(range(MAXIMUM_KNOTS + 1)), "log_odds": list(range(MAXIMUM_KNOTS + 1))}),
    ],
)
@pytest.mark.attack
def test_a_map_that_makes_no_sense_is_refused(kind: str, changes: dict[str, Any]) -> None:
    read(GOOD[kind])
    with pytest.raises(Malformed):
        read(GOOD[kind] | changes)


@pytest.fixture(scope="module")
def few(fitted: VersionContent) -> str:
    """The model's text with its first trees alone: a map treats a margin alike, however many trees made it."""
    head, _, rest = fitted.text.partition("\n\n")
    sizes = next(line for line in head.split("\n") if line.startswith("tree_sizes=")).partition("=")[2].split(" ")
    kept = rest[: sum(map(int, sizes[:TREES]))]
    return head.replace(" ".join(sizes), " ".join(sizes[:TREES])) + "\n\n" + kept + END


@pytest.mark.attack
def test_no_mutant_map_scores_nonsense(fitted: VersionContent, few: str, sample: Sample) -> None:
    """A version with a mutant map is refused in words, or it scores finite numbers whose reasons sum."""
    chance, scored = random.Random(5), 0
    wrong = [0, 1, -1, 1e-5, 1e8, -1e9, 1e308, float("nan"), float("inf"), 10**30, None, "1", [], {}, True, 5e-324]
    rows = sample.features[:20]
    for _ in range(600):
        document: dict[str, Any] = json.loads(json.dumps(chance.choice(list(GOOD.values()))))
        name = chance.choice(list(document))
        if isinstance(document[name], list) and chance.random() < 0.8:
            place = chance.randrange(len(document[name]))
            match chance.randrange(4):
                case 0 | 1:
                    document[name][place] = chance.choice(wrong)
                case 2:
                    del document[name][place]
                case 3:
                    chance.shuffle(document[name])
        elif chance.random() < 0.2:
            del document[name]
        else:
            document[name] = chance.choice(wrong)
        try:
            scores = Scorer.of(few, fitted.scorecard | {"calibration": document}).score(rows)
        except Malformed:
            continue
        scored += 1
        assert np.isfinite(scores.point_contributions).all()
        assert ((scores.probability >= 0) & (scores.probability <= 1)).all()
        total = scores.base_points + scores.point_contributions.sum(axis=1)
        np.testing.assert_allclose(total, scores.points, rtol=0, atol=1e-9)
    assert 20 < scored < 400, "some pass, and those are the ones that try the scorer"


@settings(max_examples=150, deadline=None)
@given(maps, st.integers(0, 10**6), st.floats(1, 300), st.floats(1, 300))
def test_reasons_sum_exactly_and_keep_their_signs(
    fitted: VersionContent, few: str, sample: Sample, way: CalibrationMap, start: int, down: float, up: float
) -> None:
    """For every kind, also where the scale ends; and they stand to one another as they do in the margin."""
    start %= len(sample.features) - 20
    scorecard = fitted.scorecard | {"calibration": way.as_json()}
    base = Scorer.of(few, scorecard | {"scale": scorecard["scale"] | {"minimum": -1e6, "maximum": 1e6}}).base_points
    scale = scorecard["scale"] | {"minimum": base - down, "maximum": base + up}
    scorer, rows = Scorer.of(few, scorecard | {"scale": scale}), sample.features[start : start + 20]
    scores = scorer.score(rows)
    total = scores.base_points + scores.point_contributions.sum(axis=1)
    np.testing.assert_allclose(total, scores.points, rtol=0, atol=1e-9)
    margin = scorer.reasons.contributions(rows)
    price = steepness(way, scorer.expected, scorer.raw(rows))
    assert (np.sign(scores.point_contributions) == -np.sign(margin))[price > 0].all()
    shares = scores.point_contributions * margin.sum(axis=1)[:, None]
    wanted = margin * (scores.points - scores.base_points)[:, None]
    np.testing.assert_allclose(shares, wanted, rtol=1e-6, atol=1e-8)
    assert (np.diff(scores.points[np.argsort(scorer.raw(rows))]) <= 0).all()


def test_a_row_at_the_base_has_the_price_there(fitted: VersionContent, sample: Sample) -> None:
    """At the base both points and margin are the expected ones: no reason is NaN, and the reasons are the same."""
    line = fitted.scorecard | {"calibration": {"kind": "platt", "slope": 1.0, "intercept": 0.0}}
    plain = Scorer.of(fitted.text, line)
    base = plain.expected
    kinked = Isotonic((base - 9.0, base, base + 9.0), (-9.0, 0.0, 27.0)).as_json()
    scorer = Scorer.of(fitted.text, fitted.scorecard | {"calibration": kinked})
    way = scorer.card.calibration
    assert steepness(way, base, np.array([base, base + 1e-13, base - 1e-13])).tolist() == [3.0, 3.0, 3.0]
    np.testing.assert_allclose(steepness(way, base, np.array([base + 2, base - 2])), [3.0, 1.0], rtol=1e-12)
    above = scorer.raw(sample.features[:200]) > base
    rows = sample.features[:200]
    with np.errstate(invalid="ignore"):
        ratio = scorer.score(rows).point_contributions / plain.score(rows).point_contributions
    known = np.isfinite(ratio)
    np.testing.assert_allclose(ratio[above][known[above]], 3.0, rtol=1e-6)
    np.testing.assert_allclose(ratio[~above][known[~above]], 1.0, rtol=1e-6)
