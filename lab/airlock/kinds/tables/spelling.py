"""One spelling for each cell (单元格的唯一写法): a number, a label, a mark for a hidden number, or nothing.

``1,200``, ``1200.0``, ``+1.2e3`` and full-width digits are the number 1200; ``NaN``, ``None`` and an empty cell are no
value. A cell that a spreadsheet would run as a formula has no spelling, so it is refused.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

from credit.messages import Text
from lab.airlock.characters import one_spelling, refused_characters

Cell = Decimal | str | None
LARGEST = Decimal(10) ** 18
SMALLEST = Decimal(10) ** -12
DIGITS = 17  # significant digits of a double, the longest number that a table of compute holds
_MISSING = {"", "nan", "<na>", "na", "n/a", "nat", "none", "null"}
_UNITS = "%|户|家|个|人|笔|条|件|次|元|万元|亿元|firms|subjects"
_NUMBER = r"[+-]?(?:\d{1,3}(?:,\d{3})+(?:\.\d*)?|\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?"
_PLAIN = re.compile(_NUMBER)
_QUANTITY = re.compile(rf"(n ?= ?)?({_NUMBER}) ?({_UNITS})?", re.I)
_PAIR = re.compile(r"([^()/]+?) ?(?:\(([^()]+)\)|/ ?([^()/]+))")
_LEADING_ZERO = re.compile(r"[+-]?0\d")
_BETWEEN = re.compile(rf"{_NUMBER} ?(?:{_UNITS})? ?(?:to|至|到|~) ?{_NUMBER} ?(?:{_UNITS})?", re.I)
_STARS, _DASHES, _DOTS = re.compile(r"\*+"), re.compile("[-–—]+"), re.compile(r"\.+")
_BELOW = re.compile(r"([<≤]) (\d+)")


class Unwritable(ValueError):
    """A cell that has no place in a table: why, what to do, and the row (from 1) where its column knows it."""

    def __init__(self, why: Text, fix: Text) -> None:
        super().__init__(why.id)
        self.why, self.fix = why, fix
        self.row: int | None = None


def cell_of(text: str) -> Cell:
    """The cell that a text spells; raises :class:`Unwritable` for one that may not leave."""
    label = one_spelling(text)
    if label.lower() in _MISSING:
        return None
    if has_leading_zeros(label):
        return label  # a code, if its whole column is one: the column decides
    if _PLAIN.fullmatch(label):
        return number_of_text(label)
    return _label(_quantity(label) or _pair(label) or _mark(label) or label)


def name_of(text: str) -> str:
    """The name of a column, ``row`` for an index without a name; raises :class:`Unwritable`."""
    name = one_spelling(text)
    return _label("row" if name in ("", "__index_level_0__") else name)


def has_leading_zeros(text: str) -> bool:
    """True for a number such as ``007``, which is a code or another spelling of 7."""
    return bool(_LEADING_ZERO.match(text) and _PLAIN.fullmatch(text))


def number_of_text(text: str) -> Decimal:
    """The number that a text spells; raises :class:`Unwritable` for one out of range or with too many digits."""
    try:
        number = Decimal(text.replace(",", ""))
    except InvalidOperation:  # an exponent beyond all arithmetic
        number = Decimal("inf")
    return checked_number(number)


def checked_number(number: Decimal) -> Decimal:
    """A finite number, without trailing zeros and with one zero; raises :class:`Unwritable` as above."""
    if not number.is_finite() or (number and not SMALLEST <= number.copy_abs() < LARGEST):
        raise Unwritable(Text.of("airlock.number-out-of-range"), Text.of("airlock.number-out-of-range-fix"))
    digits = "".join(map(str, number.as_tuple().digits)).strip("0")
    if len(digits) > DIGITS:
        why = Text.of("airlock.number-too-long", digits=len(digits), limit=DIGITS)
        raise Unwritable(why, Text.of("airlock.digits-fix"))
    return number.normalize() if number else Decimal(0)


def plain(number: Decimal, decimals: int | None = None) -> str:
    """A number in digits, without an exponent, with so many decimals or as many as it has."""
    return f"{number:f}" if decimals is None else f"{number:.{decimals}f}"


def _label(text: str) -> str:
    refused = refused_characters(text)
    if refused:
        why = Text.of("airlock.characters-refused", characters=", ".join(refused[:5]))
        raise Unwritable(why, Text.of("airlock.characters-refused-fix"))
    number = text[0] == "-" and _QUANTITY.fullmatch(text)
    if text[0] in "=+-@" and text != "-" and not number and not _BETWEEN.fullmatch(text):
        raise Unwritable(Text.of("airlock.formula"), Text.of("airlock.formulas-fix"))
    return text


def _quantity(text: str) -> str | None:
    match = _QUANTITY.fullmatch(text)
    if not match or has_leading_zeros(match[2]):
        return None
    return f"{'n=' if match[1] else ''}{plain(number_of_text(match[2]))}{(match[3] or '').lower()}"


def _pair(text: str) -> str | None:
    """A cell of two numbers, as ``12 (3.4%)`` or ``3/120``."""
    match = _PAIR.fullmatch(text)
    if not match:
        return None
    one, other = _quantity(match[1]), _quantity((match[2] or match[3]).strip())
    if one is None or other is None:
        return None
    return f"{one} ({other})" if match[2] else f"{one}/{other}"


def _mark(text: str) -> str | None:
    """A mark for a hidden number, in one spelling."""
    if _STARS.fullmatch(text):
        return "*"
    if _DASHES.fullmatch(text):
        return "-"
    if _DOTS.fullmatch(text):
        return "."
    below = _BELOW.fullmatch(text)
    return f"{below[1]}{below[2]}" if below else None
