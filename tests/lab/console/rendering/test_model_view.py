"""The page of a model shows the copy that leaves: figures, features, their SQL and the whole text, all in words."""

from __future__ import annotations

import pytest

from credit.keys import SigningKey
from credit.shelf import Shelf
from lab.airlock.copies.shelf_models import ShelfModels
from lab.airlock.kinds.models.model_checks import CHECKS
from lab.airlock.kinds.models.model_format import ModelFormat
from lab.airlock.kinds.models.model_name import written_name
from lab.airlock.thresholds import load
from lab.console.rendering.file_view import view_file
from lab.console.rendering.translations import LANGUAGES, Translations
from tests.lab.airlock.kinds.models.sealed_versions import TODAY, features, named, put, version_files


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_models_page_is_whole_and_in_words(shelf: Shelf, keys: dict[str, SigningKey], language: str) -> None:
    _, version = put(shelf, keys, version_files(*features()))
    models = ShelfModels(shelf, TODAY)
    copy = models.find(version, load())
    leaving = ModelFormat(models).write("model.json", copy)  # type: ignore[arg-type]
    view = view_file("model.json", "version", leaving["model.json"], (), models)
    words = Translations.load(language)
    assert [name for name in view.facts if words.named("fact", name) == name] == []
    assert [text.kind for text in view.texts if words.named("cellkind", text.kind) == text.kind] == []
    assert [name for name, _ in CHECKS if f"check.{name}" not in words.texts] == []
    assert view.unreadable is None
    shown = "\n".join(line for _, line, _ in view.texts[-1].lines)
    assert shown == leaving["model.txt"].decode().rstrip("\n")
    assert len(view.tables[0].rows) == len(copy.features)  # type: ignore[union-attr]


def test_a_model_that_cannot_be_read_has_no_end(shelf: Shelf) -> None:
    models = ShelfModels(shelf, TODAY)
    missing = written_name(f"version-{'0' * 64}", f"copy-{'0' * 64}")
    for kind, content in (("version", missing), ("model", b"tree\nversion=v4\n"), ("version", named("version-1"))):
        assert view_file("model.json", kind, content, (), models).unreadable is not None
