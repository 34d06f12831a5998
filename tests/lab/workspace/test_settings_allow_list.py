"""A person changes the settings and values that are listed; every other one stays as the lab sets it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.workspace.files.settings_allow_list import SETTINGS, written_again

THEMES = "@jupyterlab/apputils-extension:themes"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(sorted({name for each in SETTINGS.values() for name in each})) | st.text(max_size=12)


def test_what_is_listed_is_stored_without_the_rest_of_the_text() -> None:
    raw = "{// a note\n 'theme': 'JupyterLab Dark', /* another */ \"adaptive-theme\": false,}"
    assert written_again(THEMES, raw) == '{"theme": "JupyterLab Dark", "adaptive-theme": false}'
    assert written_again(THEMES, " ") == "{}", "back to what the lab sets"


@pytest.mark.attack
@pytest.mark.parametrize(
    ("plugin", "raw"),
    [
        ("@jupyterlab/apputils-extension:sanitizer", "{}"),
        ("@jupyterlab/apputils-extension:sanitizer", '{"allowedSchemes": ["https"]}'),
        ("@jupyterlab/shortcuts-extension:shortcuts", '{"shortcuts": [{"command": "docmanager:download"}]}'),
        ("@jupyterlab/mainmenu-extension:plugin", '{"menus": []}'),
        ("@jupyterlab/apputils-extension:notification", '{"fetchNews": "true"}'),
        (THEMES, '{"overrides": {"code-font-family": "x"}}'),
        (THEMES, '{"theme": "https://sink.example"}'),
        ("@jupyterlab/docmanager-extension:plugin", '{"autosaveInterval": 0}'),
        ("@jupyterlab/docmanager-extension:plugin", '{"autosaveInterval": true}'),
        ("@jupyterlab/notebook-extension:tracker", '{"codeCellConfig": {"fontFamily": "url(x)"}}'),
        ("../../settings/x", "{}"),
        (THEMES, "[]"),
        (THEMES, "{"),
    ],
)
def test_what_is_not_listed_is_refused(plugin: str, raw: str) -> None:
    with pytest.raises(ValueError):
        written_again(plugin, raw)


@given(plugin=st.sampled_from(sorted(SETTINGS)) | st.text(max_size=20), values=st.dictionaries(NAMES, JSON, max_size=4))
def test_whatever_is_stored_passes_its_check(plugin: str, values: dict[str, object]) -> None:
    try:
        stored = json.loads(written_again(plugin, json.dumps(values)))
    except ValueError:
        return
    assert stored == values
    assert all(SETTINGS[plugin][name](value) for name, value in stored.items())
