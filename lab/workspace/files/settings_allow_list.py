"""The settings of JupyterLab that a person may change, with their values; every other one stays as the lab sets it.

What is stored is written again from the values that are listed here, without the person's comments. A setting that a
new version adds is refused until it is in the list: some name commands, addresses or code.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import json5
from jupyterlab_server.settings_handler import SettingsHandler
from tornado.web import HTTPError

from credit.messages import Text, language_here

Check = Callable[[Any], bool]


def flag(value: Any) -> bool:
    """True for yes and no."""
    return isinstance(value, bool)


def number(least: float, most: float) -> Check:
    """A check for numbers between two."""
    return lambda value: type(value) in (int, float) and least <= value <= most


def one_of(*values: Any) -> Check:
    """A check for these values alone."""
    return lambda value: type(value) in (str, int, type(None)) and value in values


def numbers(value: Any) -> bool:
    """True for a short list of columns."""
    return isinstance(value, list) and len(value) <= 20 and all(number(0, 1000)(each) for each in value)


def fields(checks: Mapping[str, Check]) -> Check:
    """A check for an object whose members pass their checks."""
    return lambda value: isinstance(value, dict) and all(k in checks and checks[k](v) for k, v in value.items())


THEMES = one_of("JupyterLab Light", "JupyterLab Dark", "JupyterLab Dark High Contrast")
EDITOR = fields(
    {
        **dict.fromkeys(("lineNumbers", "codeFolding", "highlightActiveLine", "autoClosingBrackets"), flag),
        **dict.fromkeys(("matchBrackets", "showTrailingSpace", "smartIndent", "insertSpaces"), flag),
        "lineWrap": lambda value: flag(value) or one_of("off", "on", "wordWrapColumn", "bounded")(value),
        "tabSize": number(1, 16),
        "fontSize": lambda value: value is None or number(6, 40)(value),
        "lineHeight": lambda value: value is None or number(1, 3)(value),
        "cursorBlinkRate": number(0, 5000),
        "wordWrapColumn": number(20, 400),
        "rulers": numbers,
        "indentUnit": one_of("2", "4", "8", "Tab"),
        "theme": one_of("jupyter", "default", "dracula"),
    }
)
SETTINGS: Mapping[str, Mapping[str, Check]] = {
    "@jupyterlab/apputils-extension:themes": {
        "theme": THEMES,
        "preferred-light-theme": THEMES,
        "preferred-dark-theme": THEMES,
        "adaptive-theme": flag,
        "theme-scrollbars": flag,
    },
    "@jupyterlab/apputils-extension:notification": {"doNotDisturbMode": flag},
    "@jupyterlab/translation-extension:plugin": {
        "locale": one_of("default", "en", "zh_CN"),
        "displayStringsPrefix": flag,
    },
    "@jupyterlab/docmanager-extension:plugin": {
        "autosave": flag,
        "autosaveInterval": number(5, 3600),
        "confirmClosingDocument": flag,
        "lastModifiedCheckMargin": number(0, 60_000),
        "renameUntitledFileOnSave": flag,
    },
    "@jupyterlab/notebook-extension:tracker": {
        **dict.fromkeys(("codeCellConfig", "markdownCellConfig", "rawCellConfig"), EDITOR),
        **dict.fromkeys(("scrollPastEnd", "recordTiming", "showEditorForReadOnlyMarkdown"), flag),
        "defaultCell": one_of("code", "markdown", "raw"),
        "maxNumberOutputs": number(0, 1000),
        "windowingMode": one_of("defer", "full", "none", "contentVisibility"),
    },
    "@jupyterlab/fileeditor-extension:plugin": {"editorConfig": EDITOR, "scrollPasteEnd": flag},
    "@jupyterlab/codemirror-extension:plugin": {"defaultConfig": EDITOR},
    "@jupyterlab/completer-extension:manager": {
        "autoCompletion": flag,
        "showDocumentationPanel": flag,
        "providerTimeout": number(100, 10_000),
    },
    "@jupyterlab/filebrowser-extension:browser": dict.fromkeys(
        (
            "navigateToCurrentDirectory",
            "showLastModifiedColumn",
            "showFileSizeColumn",
            "sortNotebooksFirst",
            "singleClickNavigation",
            "showFullPath",
            "useFuzzyFilter",
            "filterDirectories",
        ),
        flag,
    ),
    "@jupyterlab/statusbar-extension:plugin": {"visible": flag},
}


def written_again(plugin: str, raw: str) -> str:
    """The settings of a plugin as JSON, from the values that may be changed.

    Raises ValueError with the name of the first setting that is not, and for a text that is no JSON5.
    """
    values = json5.loads(raw) if raw.strip() else {}
    allowed = SETTINGS.get(plugin)
    if allowed is None or not isinstance(values, dict):
        raise ValueError(plugin)
    for name, value in values.items():
        if name not in allowed or not allowed[name](value):
            raise ValueError(f"{plugin} {name}")
    return json.dumps(values)


class CheckedSettings(SettingsHandler):
    """Settings as JupyterLab's server stores them, from the list alone."""

    def put(self, schema_name: str) -> Any:
        """Store settings; 403 with the name of one that the lab sets, 400 for what is no text of settings."""
        try:
            raw = json.loads(self.request.body)["raw"]
        except (ValueError, KeyError, TypeError):
            raise HTTPError(400, "{'raw': …} was expected") from None
        try:
            written = written_again(schema_name, str(raw))
        except (ValueError, RecursionError) as error:
            name = Text.verbatim(str(error)[:120])
            raise HTTPError(403, Text.of("workspace-settings.not-changed", name=name).render(language_here())) from None
        self.request.body = json.dumps({"raw": written}).encode()
        return super().put(schema_name)
