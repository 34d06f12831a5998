"""What an author can say in a model (可选信息量): the names of its features, and the constants that shape their values.

Names of the catalogue, names and SQL of the built-in models are free, and so are words; what else stands in a name is
charged as in a text. A feature may be multiplied by any number, and the cuts of the trees show it: so the constants and
operations outside conditions are charged too. The reviewers see the SQL.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from math import log2

from credit.catalogue import Catalogue
from lab.airlock.kinds.models.model_copy import ChosenBits
from lab.airlock.words.unreadable import DIGIT, LETTER, unreadable_bits
from models.features.feature_sql import spelled, values_chosen
from models.order.order import SUBJECT_KINDS, built_in

OPERATION = 3.0  # bits of an operation of arithmetic: which of eighty features has one is a message of its own


@cache
def known_names() -> frozenset[str]:
    """The names of the catalogue's columns and of the features of the built-in models."""
    columns = {field.name for table in Catalogue.load().tables.values() for field in table.fields}
    return frozenset(columns).union(*(built_in(kind).names for kind in SUBJECT_KINDS))


@cache
def known_selects() -> frozenset[str]:
    """The SQL of the built-in models, which an order may hold as a whole."""
    return frozenset(spelled(built_in(kind).sql) for kind in SUBJECT_KINDS)


def chosen_bits(names: Sequence[str], sql: str) -> ChosenBits:
    """The bits of the features' names and of their SQL, which was checked when the order was placed."""
    own = [name for name in names if name not in known_names()]
    in_names = unreadable_bits("\n".join(own))
    chosen = values_chosen(sql, known_selects())
    charged = [*_charged(chosen.numbers, _number), *_charged(chosen.texts, lambda text: len(text) * LETTER)]
    values = sum(bits for _, bits in charged) + OPERATION * chosen.operations
    examples = [*in_names.examples, *(what for what, bits in charged if bits > 1)]
    return ChosenBits(in_names.total, values, tuple(dict.fromkeys(examples))[:8])


def _charged(words: Sequence[str], bits_of: Callable[[str], float]) -> Iterator[tuple[str, float]]:
    """Each word with its bits; one that stood before costs the choice among those, if that is less."""
    before: set[str] = set()
    for word in words:
        yield word, min(bits_of(word), log2(1 + len(before))) if word in before else bits_of(word)
        before.add(word)


def _number(text: str) -> float:
    """The bits of a number: its significant digits, and a digit for its size. 0 is none, 1 is one bit."""
    digits = text.replace(".", "").strip("0")
    if digits in ("", "1") and text in ("0", "1", "0.0", "1.0"):
        return float(bool(digits))
    size = text.startswith("0.") or text.endswith("0")
    return DIGIT * (len(digits) + size)
