"""The check of a unified social credit code as SQL, with the weights of ``credit.uscc`` (GB 32100-2015, GB 11714).

The SQL checks a million codes in a second; a property test compares it with ``Uscc.parse``.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from itertools import product

from credit.uscc import ALPHABET, ORG_ALPHABET, ORG_WEIGHTS, USCC_WEIGHTS, compose
from credit.vouched_codes import vouched_codes
from privacy.duckdb_engine import text, texts

_SHAPE = f"[{ALPHABET}]{{2}}[0-9]{{6}}[{ALPHABET}]{{10}}"


FAULTS = (
    "intake.reason.code-length",
    "intake.reason.code-character",
    "intake.reason.code-organisation-check",
    "intake.reason.code-check",
)
"""The ids of the reasons that :func:`fault` gives, the first that applies."""


def canonical(code: str) -> str:
    """SQL for the form in which ``Uscc.parse`` reads a code: ASCII text stripped of blanks and in upper case."""
    blanks = text(" \t\n\r\x0b\x0c\x1c\x1d\x1e\x1f")
    ascii_only = f"regexp_full_match({code}, '[\\x00-\\x7f]*', 's')"
    return f"CASE WHEN {ascii_only} THEN upper(trim({code}, {blanks})) ELSE {code} END"


def fault(code: str) -> str:
    """SQL for the id of the reason why ``code`` (canonical text) is no USCC; NULL when both checks are right, or
    a register vouches for the code."""
    org = _weighed(code, ORG_ALPHABET, ORG_WEIGHTS, first=9)
    whole = _weighed(code, ALPHABET, USCC_WEIGHTS, first=1)
    vouched = f"WHEN {code} IN ({texts(sorted(vouched_codes()))}) THEN NULL" if vouched_codes() else ""
    return f"""CASE
        WHEN length({code}) <> 18 THEN {text(FAULTS[0])}
        WHEN NOT regexp_full_match({code}, {text(_SHAPE)}) THEN {text(FAULTS[1])}
        {vouched}
        WHEN substr({text("0123456789X0")}, 12 - ({org}) % 11, 1) <> substr({code}, 17, 1)
            THEN {text(FAULTS[2])}
        WHEN substr({text(ALPHABET)}, (31 - ({whole}) % 31) % 31 + 1, 1) <> substr({code}, 18, 1)
            THEN {text(FAULTS[3])}
        END"""


def of_kinds(code: str, kinds: Collection[str]) -> str:
    """SQL that is true when the first two characters of ``code`` belong to one of ``kinds`` (``SubjectKind``
    values).
    """
    fitting = [prefix for prefix, kind in _kind_of_prefix().items() if kind in kinds]
    return f"substr({code}, 1, 2) IN ({texts(fitting)})"


@cache
def _kind_of_prefix() -> dict[str, str]:
    prefixes = ("".join(pair) for pair in product(ALPHABET, repeat=2))
    return {prefix: compose(prefix, "120101", "00000000").kind for prefix in prefixes}


def _weighed(code: str, alphabet: str, weights: tuple[int, ...], *, first: int) -> str:
    terms = (
        f"(instr({text(alphabet)}, substr({code}, {first + place}, 1)) - 1) * {weight}"
        for place, weight in enumerate(weights)
    )
    return " + ".join(terms)
