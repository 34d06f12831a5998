"""The words that a text may hold freely (词表): English words and names of code; Chinese characters in ordinary use."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from lab.airlock.characters import gb2312_bytes

_FOLDER = Path(__file__).parent
_ENDINGS = ("s", "es", "ed", "d", "ing", "ly", "er", "ers", "al", "ally", "ness", "able", "isation", "ization")
_BEGINNINGS = ("un", "re", "non", "pre", "sub", "out", "over", "under", "mis", "multi", "inter", "semi", "anti")
_PART_AT_LEAST = 4  # letters in each part of a compound; shorter parts would admit random letters
_STEM_AT_LEAST = 4
_FREQUENT = 20_000  # of the words of English, the most frequent
_LETTERS_AT_LEAST = 4  # in each of them: shorter ones are mostly abbreviations
_SURNAME_AT_LEAST = 5  # letters in a surname: those whom a text cites
_SPELLED = """
SQLite LiRA MiB GiB KiB WoE DPoP MLflow LightGBM XGBoost CatBoost NeurIPS arXiv GitHub PostgreSQL PyArrow DuckDB NumPy
SciPy JupyterLab JupyterHub FastAPI AUCs PDFs CIs i18n Ed25519 McNemar DeLong LaTeX PyTorch
"""  # names with capitals or digits inside, in their one spelling


@cache
def _words(name: str) -> frozenset[str]:
    lines = (_FOLDER / name).read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


@cache
def _known_words() -> frozenset[str]:
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # counted in the English Wikipedia; it is read when it is needed

    frequent = FREQUENCY_LISTS["english_wikipedia"][:_FREQUENT]
    english = {word for word in frequent if len(word) >= _LETTERS_AT_LEAST and word.isascii() and word.isalpha()}
    names = {name for name in FREQUENCY_LISTS["surnames"] if len(name) >= _SURNAME_AT_LEAST and name.isalpha()}
    return _words("known_words.txt") | _words("field_words.txt") | english | names


@cache
def is_word(letters: str) -> bool:
    """True for a known English word or name of code in any case, its usual forms, and compounds of two such words."""
    word, words = letters.lower(), _known_words()
    if word in words:
        return True
    stems = [word[: -len(end)] for end in _ENDINGS if word.endswith(end)]
    stems += [word[len(start) :] for start in _BEGINNINGS if word.startswith(start)]
    doubled = [stem[:-1] for stem in stems if re.search(r"([b-df-hj-np-tv-z])\1$", stem)]
    silent = [f"{stem}e" for stem in stems]
    if any(len(stem) >= _STEM_AT_LEAST and stem in words for stem in (*stems, *doubled, *silent)):
        return True
    cuts = range(_PART_AT_LEAST, len(word) - _PART_AT_LEAST + 1)
    return any(word[:cut] in words and word[cut:] in words for cut in cuts)


@cache
def _spelled() -> frozenset[str]:
    return frozenset(_SPELLED.split())


def is_spelled(token: str) -> bool:
    """True for a known name that mixes capitals and digits, in its one spelling."""
    return token in _spelled()


def in_first_level(char: str) -> bool:
    """True for a Chinese character of the first level of GB/T 2312, the 3,755 in ordinary use."""
    encoded = gb2312_bytes(char)
    return len(encoded) == 2 and 0xB0 <= encoded[0] <= 0xD7
