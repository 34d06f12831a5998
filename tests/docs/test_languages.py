"""A page exists in both languages with the same blocks, and every path that a page names exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(\w+(?: background)?)\n(.*?)^```", re.M | re.S)
PAIRS = [
    (ROOT / "README.md", ROOT / "README.zh.md"),
    *((ROOT / "docs" / page.name, page) for page in sorted((ROOT / "docs/zh").glob("*.md"))),
]
MUST_EXIST = (
    "README.zh.md",
    *(f"{name}.md" for name in ("how-it-fits-together", "architecture", "platform", "api-changes")),
    *(f"{name}.md" for name in ("researcher", "airlock", "city", "bank")),
)
PATH = re.compile(r"`((?:credit|privacy|lab|models|serving|infra|bench|tests|docs)/[\w./-]*)`")


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def test_the_pages_that_must_be_in_chinese_are() -> None:
    assert set(MUST_EXIST) <= {chinese.name for _, chinese in PAIRS}


@pytest.mark.parametrize(("english", "chinese"), PAIRS, ids=lambda page: page.name)
def test_both_languages_show_the_same_blocks_and_headings(english: Path, chinese: Path) -> None:
    assert BLOCK.findall(text_of(english)) == BLOCK.findall(text_of(chinese))
    heads = [re.findall(r"^(#+) ", BLOCK.sub("", text_of(page)), re.M) for page in (english, chinese)]
    assert heads[0] == heads[1]
    assert sorted(PATH.findall(text_of(english))) == sorted(PATH.findall(text_of(chinese)))


@pytest.mark.parametrize(("english", "chinese"), PAIRS, ids=lambda page: page.name)
def test_a_page_is_in_its_language_and_links_to_the_other(english: Path, chinese: Path) -> None:
    characters = [len(re.findall("[一-鿿]", BLOCK.sub("", text_of(page)))) for page in (english, chinese)]
    assert characters[0] * 5 < characters[1]
    assert re.search(r"^\[中文\]\([^)]+\)$", text_of(english), re.M)
    assert re.search(r"^\[English\]\([^)]+\)$", text_of(chinese), re.M)


@pytest.mark.parametrize(
    "page", ["docs/architecture.md", "docs/zh/architecture.md", "docs/platform.md", "docs/security.md"]
)
def test_every_path_that_a_page_names_is_there(page: str) -> None:
    paths = PATH.findall(text_of(ROOT / page))
    assert len(paths) > 3
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_every_promise_of_the_security_page_names_its_test() -> None:
    promised = text_of(ROOT / "docs/security.md").partition("## Promised")[2].partition("## Not promised")[0]
    rows = re.findall(r"^\| .+ \| (.+) \|$", promised, re.M)[1:]
    assert len(rows) > 50
    assert [row for row in rows if not re.fullmatch(r"(`tests/[\w./-]+`(, )?)+", row)] == []
