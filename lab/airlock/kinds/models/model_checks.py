"""The checks of a model that leaves (模型检查): whose it is, what it discloses of subjects, what its author chose."""

from __future__ import annotations

from collections.abc import Iterator

from credit.messages import Text
from lab.airlock.issue import Check, Issue, fail, review
from lab.airlock.kinds.models.model_copy import ModelCopy
from lab.airlock.thresholds import Thresholds

_COARSER = Text.of("airlock.small-leaves-fix")


def origin(copy: ModelCopy, t: Thresholds) -> Iterator[Issue]:
    """A project ordered it, or it is in production."""
    if not copy.of_project and not copy.in_production:
        yield fail(Text.of("airlock.of-another-project", version=copy.version[:20]), Text.of("airlock.train-with-lab"))


def promotion(copy: ModelCopy, t: Thresholds) -> Iterator[Issue]:
    """It passed the promotion gate and is in production; another one is looked at by a person."""
    if not copy.in_production:
        why = Text.of("airlock.never-promoted", version=copy.version[:20])
        yield review(why, Text.of("airlock.never-promoted-fix"))


def leaves(copy: ModelCopy, t: Thresholds) -> Iterator[Issue]:
    """No leaf describes a few subjects or rows, and there are no more trees than a model needs."""
    least, rows = t["leaf_subjects_at_least"], t["leaf_rows_at_least"]
    if copy.smallest_leaf < least:
        why = Text.of("airlock.few-subjects-in-leaf", smallest=copy.smallest_leaf, least=least)
        yield fail(why, _COARSER, smallest=copy.smallest_leaf)
    if copy.smallest_rows < rows:
        yield fail(
            Text.of("airlock.small-leaves", smallest=copy.smallest_rows, least=rows),
            _COARSER,
            smallest=copy.smallest_rows,
        )
    if copy.trees > t["trees_at_most"]:
        why = Text.of("airlock.too-many-trees", trees=copy.trees)
        yield fail(why, Text.of("airlock.too-many-trees-fix"), trees=copy.trees)


def membership(copy: ModelCopy, t: Thresholds) -> Iterator[Issue]:
    """An attacker finds few of those it was trained on, by the limits of the promotion gate."""
    rates = {"all": copy.figures.membership_all, "defaulted": copy.figures.membership_defaulted}
    limits = {name: t[f"membership_{name}_at_most"] for name in rates}
    known = {name: rate for name, rate in rates.items() if rate is not None}
    if len(known) < len(rates):
        yield fail(Text.of("airlock.membership-not-measured"), Text.of("airlock.train-with-lab"))
    elif any(rate > limits[name] for name, rate in known.items()):
        why = Text.of("airlock.membership-high", **known, limit=limits["all"], defaulted_limit=limits["defaulted"])
        yield review(why, Text.of("airlock.membership-high-fix"), **known)


def discrimination(copy: ModelCopy, t: Thresholds) -> Iterator[Issue]:
    """It ranks subjects that it has not seen: a model that only knows those it was trained on is a list of them."""
    low, least = copy.figures.auc_low, t["auc_low_at_least"]
    if low is None or low < least:
        yield fail(Text.of("airlock.auc-low", least=least), Text.of("airlock.auc-low-fix"), auc_low=low)


def choices(copy: ModelCopy, t: Thresholds) -> Iterator[Issue]:
    """The names and the constants of its order are short: they could be a message."""
    chosen, limit = copy.chosen, t["model_bits_at_most"]
    if chosen.total > limit:
        examples = Text.verbatim(", ".join(chosen.examples) or "-")
        why = Text.of("airlock.chosen-in-order", bits=round(chosen.total), limit=limit, examples=examples)
        figures = {"names": round(chosen.names), "values": round(chosen.values)}
        yield fail(why, Text.of("airlock.chosen-in-order-fix"), **figures)


CHECKS: tuple[Check[ModelCopy], ...] = (
    ("origin", origin),
    ("promotion", promotion),
    ("leaves", leaves),
    ("membership", membership),
    ("discrimination", discrimination),
    ("choices", choices),
)
