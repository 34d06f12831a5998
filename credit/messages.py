"""Messages by id: every text that a person reads exists in Chinese and English, and code holds ids and parameters
alone.

The texts are gettext catalogues, ``locales/<language>/<package>.po``, whose ``msgid`` is the id of a message and whose
``msgstr`` is its text with ``{name}`` where a parameter goes (the rules of :meth:`str.format`). They are read once,
when the first text is rendered, so a process that reports nothing does not read them. :data:`LANGUAGES` lists the
languages.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from numbers import Real
from pathlib import Path
from typing import Any

LANGUAGES = ("en", "zh")
LOCALES = Path(__file__).parent / "locales"
DEEPEST = 6  # levels of messages within messages that are read back
VERBATIM = "verbatim"  # the id of a text that is the same in every language: a name, a path, a library's message
SEVERAL = "several"  # the id of a text that is several messages, one after the other
_SEPARATOR = {"en": "; ", "zh": "；"}


@dataclass(frozen=True, slots=True)
class Text:
    """A message: its id, and the parameters that its text takes. A parameter may itself be a :class:`Text` or
    several."""

    id: str
    params: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, id: str, **params: Any) -> Text:
        """The message of this id with these parameters."""
        return cls(id, params)

    @classmethod
    def verbatim(cls, text: str) -> Text:
        """A text that is the same in every language: a name, a path, or what a library or another process says."""
        return cls(VERBATIM, {"text": text})

    @classmethod
    def several(cls, texts: Iterable[Text]) -> Text:
        """Several messages as one."""
        return cls(SEVERAL, {"texts": tuple(texts)})

    def render(self, language: str = "en") -> str:
        """The text in ``en`` or ``zh``; the id and the parameters where the catalogue has no text or the text does
        not fit."""
        values = {name: _rendered(value, language) for name, value in self.params.items()}
        if self.id in (VERBATIM, SEVERAL):
            return "".join(map(str, values.values()))
        template = texts(language).get(self.id)
        if template is not None:
            with suppress(LookupError, ValueError, TypeError, AttributeError):
                return template.format(**values)
        return " ".join([self.id, *(f"{name}={value}" for name, value in values.items())])

    def as_json(self) -> dict[str, Any]:
        """``{"id", "params"}``, as a ledger or a file keeps it; :meth:`from_json` reads it."""
        return {"id": self.id, "params": {name: _plain(value) for name, value in self.params.items()}}

    @classmethod
    def from_json(cls, data: Any) -> Text | None:
        """The message that :meth:`as_json` wrote; None for what is no such message, or one whose id is not known here.

        What is stored may be of another version or wrongly made. Its reader then uses the English text beside it.
        """
        return _text(data, DEEPEST)

    def __str__(self) -> str:
        return self.render()


def load() -> None:
    """Read the catalogues of every language now, so that no request waits for them (about 0.1 s of a processor)."""
    for language in LANGUAGES:
        texts(language)


def known(id: str) -> bool:
    """Whether the English catalogue has a text of this id."""
    return id in texts("en")


@cache
def texts(language: str) -> Mapping[str, str]:
    """Message id -> text in a language, of all packages; a message without a Chinese text has its English one."""
    catalogue = dict(_read_catalogues(language))
    return catalogue if language == "en" else {**texts("en"), **catalogue}


def _read_catalogues(language: str) -> Iterator[tuple[str, str]]:
    from babel.messages.pofile import read_po  # 60 ms, which only a process that reports something needs to spend

    for path in sorted((LOCALES / language).glob("*.po")):
        with path.open("rb") as file:
            catalogue = read_po(file, locale=language, ignore_obsolete=True)
        yield from ((str(message.id), str(message.string)) for message in catalogue if message.id and message.string)


def _rendered(value: Any, language: str) -> Any:
    if isinstance(value, Text):
        return value.render(language)
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return _SEPARATOR[language].join(str(_rendered(each, language)) for each in value)
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, Text):
        return value.as_json()
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_plain(each) for each in value]
    if isinstance(value, Real) and not isinstance(value, int | float):
        return float(value)  # a number of NumPy or a Decimal keeps its format
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _text(data: Any, depth: int) -> Text | None:
    """A stored message of at most `depth` levels; None where it is not one."""
    if not isinstance(data, Mapping) or not isinstance(data.get("params", {}), Mapping) or depth == 0:
        return None
    id = data.get("id")
    if not isinstance(id, str) or not (id in (VERBATIM, SEVERAL) or known(id)):
        return None
    try:
        params = {str(name): _value(value, depth) for name, value in data.get("params", {}).items()}
    except ValueError:
        return None
    return Text(id, params)


def _value(value: Any, depth: int) -> Any:
    """A parameter; raises ValueError for one that is no message, list, text, number or truth value."""
    if isinstance(value, Mapping):
        text = _text(value, depth - 1)
        if text is None:
            raise ValueError
        return text
    if isinstance(value, list):
        if depth == 1:
            raise ValueError
        return [_value(each, depth - 1) for each in value]
    return value


def preferred(accepted: str, otherwise: str = "en") -> str:
    """The language that an ``Accept-Language`` header (RFC 9110 §12.5.4) prefers among ours, else `otherwise`."""
    best, language = 0.0, otherwise
    for part in accepted[:256].lower().split(","):
        name, _, weight = part.strip().partition(";")
        try:
            quality = float(weight.strip().removeprefix("q=") or 1)
        except ValueError:
            continue
        tag = re.split("[-_]", name.strip())[0]
        if tag in LANGUAGES and best < quality <= 1:
            best, language = quality, tag
    return language


def of_environment(environment: Mapping[str, str]) -> str:
    """The language of a person at a shell: the first of ``LC_ALL``, ``LC_MESSAGES``, ``LANG`` that is set (POSIX)."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if environment.get(name):
            return "zh" if environment[name].lower().startswith("zh") else "en"
    return "en"


def language_here() -> str:
    """The language of the person who started this process."""
    return of_environment(os.environ)
