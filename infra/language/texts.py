"""Texts of the command line in the language of the shell (``LC_ALL``, ``LC_MESSAGES``, ``LANG``).

There are two kinds. What a verb prints is a message by id, as everywhere: :func:`localized`. Some texts stand in
English in the code: help, which must be quick; names of values; labels of progress and reasons that other packages
give as plain text. Their Chinese is in ``zh.po`` beside this file, whose ``msgid`` is the English text:
:func:`translated` and :func:`field`. In an English shell that file is not read.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from credit.messages import Text, language_here

TRANSLATIONS = Path(__file__).with_name("zh.po")
FIELD = "field"  # the context (``msgctxt``) of names of values and columns
GAP = "{name}"
CONTROLS = dict.fromkeys({*range(0x20), *range(0x7F, 0xA0)} - {ord("\n"), ord("\t")}, "\N{REPLACEMENT CHARACTER}")
_SEPARATOR, _COLON = ": ", "："


def localized(id: str, **params: Any) -> str:
    """The message of this id in the language of the shell."""
    return Text.of(id, **params).render(language_here())


def field(name: str) -> str:
    """The name of a value or of a column, as a person reads it; unknown names stay as they are."""
    return name if language_here() == "en" else translations().get((FIELD, name), name)


def translated(english: str) -> str:
    """A text of the code in the language of the shell; an unknown text stays as it is.

    A text whose translation has the gap ``{name}``, such as ``checking {name}``, is recognised by what stands around
    it; the name of a zone in the gap is translated as well. Of ``enterprise: search`` the part after the colon is
    translated when the whole is not known.
    """
    if language_here() == "en":
        return english
    whole, with_gap = _by_english()
    if english in whole:
        return whole[english]
    for (beginning, ending), template in with_gap.items():
        if english.startswith(beginning) and english.endswith(ending):
            return template.format(name=field(english.removeprefix(beginning).removesuffix(ending)))
    name, colon, rest = english.partition(_SEPARATOR)
    if colon and (text := translated(rest)) != rest:
        return f"{name}{_COLON}{text}"
    return english


def visible(text: str) -> str:
    """A text without control characters (C0, DEL, C1), which a terminal obeys: each is U+FFFD. Lines and tabs stay."""
    return text.translate(CONTROLS)


def columns(text: str) -> int:
    """How many columns of a terminal a text takes: a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


@cache
def translations() -> Mapping[tuple[str, str], str]:
    """(Context, English) -> Chinese of the texts that stand in the code."""
    from babel.messages.pofile import read_po  # takes 30 ms, which an English shell need not spend

    with TRANSLATIONS.open("rb") as file:
        return {(str(each.context), str(each.id)): str(each.string) for each in read_po(file) if each.id}


@cache
def _by_english() -> tuple[Mapping[str, str], Mapping[tuple[str, str], str]]:
    """English -> Chinese: of whole texts, and by what is around the gap of others.

    Of two texts that fit, the one with the longer beginning is taken.
    """
    whole: dict[str, str] = {}
    with_gap: dict[tuple[str, str], str] = {}
    for (context, english), chinese in translations().items():
        beginning, gap, ending = english.partition(GAP)
        if gap:
            with_gap[beginning, ending] = chinese
        elif context != FIELD:
            whole[english] = chinese
    return whole, dict(sorted(with_gap.items(), key=lambda each: -len(each[0][0])))
