"""The words that a person reads on a page: what stands between tags, in labels and in titles."""

from __future__ import annotations

import re
from html.parser import HTMLParser

SHOWN_ATTRIBUTES = ("title", "placeholder", "alt", "value", "aria-label")
HIDDEN = ("script", "style", "noscript", "template", "title", "details")
OF_JUPYTERHUB = re.compile(r"Toggle navigation|^(Error|Close|The error|OK)$")  # in a part that no template replaces


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in HIDDEN
        values = dict(attrs)
        if values.get("type") != "hidden":
            self.words += [str(values[name]) for name in SHOWN_ATTRIBUTES if values.get(name)]

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in HIDDEN

    def handle_data(self, data: str) -> None:
        if not self._hidden and data.strip():
            self.words.append(data.strip())


def words_of(page: str) -> list[str]:
    """The texts of a page, without those of JupyterHub that are the same in every language."""
    reader = _Reader()
    reader.feed(page)
    return [each for each in reader.words if not OF_JUPYTERHUB.search(each)]


def english_in(page: str) -> list[str]:
    """The texts of a page in which two words of English stand side by side."""
    return [each for each in words_of(page) if re.search(r"[A-Za-z]{2,} +[A-Za-z]{2,}", each)]


def chinese_in(page: str) -> list[str]:
    """The texts of a page that have Chinese characters."""
    return [each for each in words_of(page) if re.search("[\u4e00-\u9fff]", each)]
