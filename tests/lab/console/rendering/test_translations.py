"""Every text of a page exists in both languages, and templates contain no other text."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest
import yaml

from lab.airlock.files.file_kinds import FileKind
from lab.airlock.review.states import State
from lab.console.pages.help import KEYS
from lab.console.rendering import translations
from lab.console.rendering.translations import LANGUAGES, Translations, choose_language

HERE = Path(translations.__file__).parents[1]
TEMPLATES = sorted((HERE / "templates").glob("*.j2"))
DYNAMIC = (
    "state",
    "kind",
    "cellkind",
    "linekind",
    "request",
    "fact",
    "check",
    "gate_check",
    "verb",
    "role",
    "zone",
    "outcome",
    "confirmation",
    "key",
    "keydoes",
    "notice",
    "nav",
)
USED_KEY = re.compile(r'words(?:\.named)?\(\s*["\']([\w. :-]+)["\']')


def test_both_languages_have_the_same_keys_and_places_to_fill() -> None:
    """Both languages have the same keys, and each pair of texts has the same placeholders."""
    chinese, english = (Translations.load(language).texts for language in ("zh", "en"))
    assert chinese.keys() == english.keys()
    for key in chinese:
        filled = [{name for _, name, _, _ in Formatter().parse(texts[key]) if name} for texts in (chinese, english)]
        assert filled[0] == filled[1], key


def test_no_key_is_written_twice() -> None:
    """A key that occurs twice in a file would hide its first text."""

    class Once(yaml.SafeLoader):
        pass

    def mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[str, object]:
        keys = [loader.construct_object(key) for key, _ in node.value]
        assert len(keys) == len(set(keys)), [key for key in keys if keys.count(key) > 1]
        return {loader.construct_object(key): loader.construct_object(value, deep=True) for key, value in node.value}

    Once.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, mapping)
    for language in LANGUAGES:
        yaml.load((HERE / "rendering" / f"words.{language}.yaml").read_text(encoding="utf-8"), Once)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_has_no_bare_text(path: Path) -> None:
    """Outside tags and expressions a template contains only punctuation; so do attributes that screen readers read."""
    plain = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", "", path.read_text(encoding="utf-8"), flags=re.S)
    text = re.sub(r"<[^>]*>", " ", plain)
    assert not re.search(r"[^\W\d_]", text), re.findall(r"\S*[^\W\d_]\S*", text)[:5]
    for name, value in re.findall(r'\b(alt|title|placeholder|aria-label|label|content)="([^"]*)"', plain):
        viewport = name == "content"
        assert viewport or not re.search(r"[^\W\d_]", value), (name, value)


def test_every_text_used_exists_and_every_text_is_used() -> None:
    """No page uses a missing key, and no text is unused."""
    sources = [path.read_text(encoding="utf-8") for path in (*TEMPLATES, *HERE.rglob("*.py"))]
    used = {key for text in sources for key in USED_KEY.findall(text) if "." in key}
    known = Translations.load("en").texts.keys()
    ends = {key for key in used if key.endswith((".", "_"))}
    assert {key for key in used - ends if key not in known} == set()
    all_sources = " ".join(sources)
    for key in known:
        is_used = f'"{key}"' in all_sources or f"'{key}'" in all_sources
        assert is_used or key.partition(".")[0] in DYNAMIC or any(key.startswith(start) for start in ends), key


def test_names_from_data_have_texts() -> None:
    """Every state, file kind and keyboard shortcut has a text."""
    texts = Translations.load("zh").texts
    for group, names in (("state", State), ("kind", FileKind), ("key", KEYS), ("keydoes", KEYS)):
        assert {f"{group}.{name}" for name in names} <= texts.keys()


@pytest.mark.parametrize(
    ("chosen", "accepted", "language"),
    [
        ("", "", "zh"),
        ("", "en-GB,en;q=0.9", "en"),
        ("", "fr,zh-TW;q=0.5,en;q=0.4", "zh"),
        ("", "zh;q=0,en;q=0.1", "en"),
        ("en", "zh-CN", "en"),
        ("../x", "de", "zh"),
        ("", "en;q=x,;;,", "zh"),
    ],
)
def test_a_language_is_chosen_or_accepted(chosen: str, accepted: str, language: str) -> None:
    """The user's choice comes first, then the browser's order, then Chinese."""
    assert choose_language(chosen, accepted) == language
