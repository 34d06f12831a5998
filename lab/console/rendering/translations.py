"""The words of the pages (用语), one file a language: no page says anything that is not there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

import yaml

from credit.errors import Malformed, Missing

LANGUAGES = ("zh", "en")  # the first is spoken to whoever asks for none of them
HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Words:
    """Every text of a language by its key, ``page.text``."""

    language: str
    texts: Mapping[str, str]

    @classmethod
    @cache
    def load(cls, language: str) -> Words:
        """Read ``words.<language>.yaml``; raises :class:`Missing` for a language there is not."""
        if language not in LANGUAGES:
            raise Missing("translations.no-words-language", languages=", ".join(LANGUAGES))
        told = yaml.safe_load((HERE / f"words.{language}.yaml").read_text(encoding="utf-8"))
        texts: dict[str, str] = {}
        for page, entries in told.items():
            for key, text in entries.items():
                if not isinstance(text, str):
                    raise Malformed("translations.words-yaml-not-text", language_=language, page=page, key=key)
                texts[f"{page}.{key}"] = text
        return cls(language, MappingProxyType(texts))

    def __call__(self, key: str, **told: object) -> str:
        """The text of a key with what it tells put in; raises :class:`Missing`."""
        if key not in self.texts:
            raise Missing("translations.no-word", key=key[:60], language_=self.language)
        return self.texts[key].format(**told) if told else self.texts[key]

    def named(self, group: str, name: object) -> str:
        """The word for a name that comes from data (a state, a role, a check), or the name itself."""
        return self.texts.get(f"{group}.{name}", str(name))


def choose(chosen: str, accepted: str) -> str:
    """The language a visitor chose, or the first of ours that the browser accepts (RFC 9110 §12.5.4)."""
    if chosen in LANGUAGES:
        return chosen
    ranked: list[tuple[float, str]] = []
    for part in accepted[:200].split(","):
        tag, _, quality = part.strip().partition(";q=")
        try:
            ranked.append((-float(quality or 1), tag.split("-")[0].lower()))
        except ValueError:
            continue
    ours = [tag for worth, tag in sorted(ranked, key=lambda each: each[0]) if tag in LANGUAGES and worth < 0]
    return ours[0] if ours else LANGUAGES[0]
