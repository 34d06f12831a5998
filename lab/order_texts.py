"""The words of an order that people will read elsewhere (随订单带出的文字): titles, reasons, names and literals.

An order travels to compute, into MLflow, the version and its card, and none of these passes the airlock. So its words
pass the airlock's checks of text when it is placed, and are short enough to be what they claim to be.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from credit.errors import Refused
from credit.gate import Outcome
from lab.airlock.files.text import CHECKS, check_text
from lab.airlock.thresholds import load
from models.features.feature_sql import order_words
from models.order.order import Order

TITLE, REASON, LITERAL, LITERALS = 60, 200, 60, 2_000  # characters; LITERALS are those of all literals together
GRADE = 8
DIGITS = 12  # of a number in SQL
_NUMBER = re.compile(r"[\d.eE+-]+")
_PARTS = re.compile(r"[\s_/.,:%()（）、，-]+")
_NAME = re.compile(r"[A-Za-z_\u4e00-\u9fff][\w\u4e00-\u9fff]{0,47}")
# A part of a name is a word, or a short code such as "12m" or "90d": longer mixtures of letters and digits carry data.
_PART = re.compile(r"[a-z]{0,20}|[A-Z][a-z]{0,19}|[A-Z]{0,12}|[a-z0-9]{0,6}|[A-Z0-9]{0,6}|[\u4e00-\u9fff]{0,20}")


def require_plain_texts(order: Order) -> None:
    """Raise :class:`Refused` for an order, its SQL written out again, with words that are not plain ones."""
    for where, text, most in _texts(order):
        if len(text) > most:
            raise Refused("order-texts.too-long", where=where, size=len(text), limit=most)
        for finding in check_text(where, text, CHECKS, load()):
            if finding.outcome is not Outcome.PASS:
                raise Refused("order-texts.not-plain", where=where, why=finding.as_reason())
    literals, names = order_words(order)
    if (size := sum(map(len, literals))) > LITERALS:
        raise Refused("order-texts.too-long", where="sql", size=size, limit=LITERALS)
    for literal in literals:
        if not all(_PART.fullmatch(part) or _NUMBER.fullmatch(part) for part in _PARTS.split(literal)):
            raise Refused("order-texts.name", where="sql")
    for where, name in [*_names(order), *(("sql", name) for name in names)]:
        if not _NAME.fullmatch(name) or not all(_PART.fullmatch(part) for part in name.split("_")):
            raise Refused("order-texts.name", where=where)


def _texts(order: Order) -> Iterator[tuple[str, str, int]]:
    yield "title", order.title, TITLE
    for number, feature in enumerate(order.features, start=1):
        yield f"features[{number}].title", feature.title, TITLE
        yield from ((f"features[{number}].reason", text, REASON) for text in feature.reason.values())
    for number, rule in enumerate(order.rules, start=1):
        yield from ((f"rules[{number}].reason", text, REASON) for text in rule.reason.values())
    yield from ((f"grades[{number}]", grade, GRADE) for number, (grade, _) in enumerate(order.grades, start=1))
    yield from ((f"literal {number}", text, _longest(text)) for number, text in enumerate(order_words(order)[0], 1))


def _longest(literal: str) -> int:
    return DIGITS if _NUMBER.fullmatch(literal) else LITERAL


def _names(order: Order) -> Iterator[tuple[str, str]]:
    yield "model", order.model
    for number, feature in enumerate(order.features, start=1):
        yield f"features[{number}].name", feature.name
