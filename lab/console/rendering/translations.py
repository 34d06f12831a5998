"""The texts of the pages (界面文本), one YAML file per language; templates contain no text of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

import yaml

from credit.errors import Malformed, Missing
from credit.messages import preferred

LANGUAGES = ("zh", "en")  # the first is the default
FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Translations:
    """The texts of one language by key (``group.name``)."""

    language: str
    texts: Mapping[str, str]

    @classmethod
    @cache
    def load(cls, language: str) -> Translations:
        """Read ``words.<language>.yaml``; raises :class:`Missing` for a language that has no file."""
        if language not in LANGUAGES:
            raise Missing("translations.no-words-language", languages=", ".join(LANGUAGES))
        pages = yaml.safe_load((FOLDER / f"words.{language}.yaml").read_text(encoding="utf-8"))
        texts: dict[str, str] = {}
        for page, entries in pages.items():
            for key, text in entries.items():
                if not isinstance(text, str):
                    raise Malformed("translations.words-yaml-not-text", language_=language, page=page, key=key)
                texts[f"{page}.{key}"] = text
        return cls(language, MappingProxyType(texts))

    def __call__(self, key: str, **values: object) -> str:
        """The text of a key with ``values`` filled in; raises :class:`Missing` for an unknown key."""
        if key not in self.texts:
            raise Missing("translations.no-word", key=key[:60], language_=self.language)
        return self.texts[key].format(**values) if values else self.texts[key]

    def named(self, group: str, name: object) -> str:
        """The text for a name that comes from data (a state, a role, a check), or the name itself."""
        return self.texts.get(f"{group}.{name}", str(name))


def choose_language(chosen: str, accepted: str) -> str:
    """The language that the user chose, else the first offered one that the browser accepts (RFC 9110 §12.5.4)."""
    if chosen in LANGUAGES:
        return chosen
    return preferred(accepted, otherwise=LANGUAGES[0])
