"""Styles that only decorate: declarations and sheets of tables are written again from allowed properties."""

from __future__ import annotations

import re

_SIDES = ("top", "right", "bottom", "left")
PROPERTIES = frozenset(
    {
        "background", "background-color", "border-collapse", "border-radius", "border-spacing", "caption-side", "color",
        "display", "empty-cells", "float", "height", "letter-spacing", "line-height", "list-style-type", "max-height",
        "max-width", "min-height", "min-width", "opacity", "overflow", "overflow-x", "overflow-y", "table-layout",
        "vertical-align", "white-space", "width", "word-break", "word-wrap", "overflow-wrap", "text-align",
        "text-decoration", "text-indent", "text-overflow", "text-transform", "font", "font-family", "font-size",
        "font-style", "font-variant", "font-variant-numeric", "font-weight", "margin", "padding", "border",
        "border-color", "border-style", "border-width", "clear",
        *(f"{box}-{side}" for box in ("margin", "padding", "border") for side in _SIDES),
        *(f"border-{side}-{part}" for side in _SIDES for part in ("color", "style", "width")),
    }
)  # fmt: skip
_FUNCTIONS = frozenset({"rgb", "rgba", "hsl", "hsla", "linear-gradient", "calc", "min", "max"})  # none loads anything
_VALUE = re.compile(r"[\w\s.,#%()+*/!'\"-]{1,400}")  # no colon, backslash, or angle bracket
_FUNCTION = re.compile(r"([\w-]*)\s*\(")
_STYLESHEET = re.compile(r"<style\b[^>]*>(.*?)</style\s*>", re.DOTALL | re.IGNORECASE)
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_SELECTOR = re.compile(r"\s*(?:\.dataframe|#T_\w+)[\w\s.#>:()+~-]*")  # tables of pandas and polars, styled or not


def declarations(text: str) -> str:
    """The allowed declarations of a style, as they were written; empty when there are none."""
    kept = []
    for one in text.split(";"):
        name, colon, value = one.partition(":")
        if colon and name.strip().lower() in PROPERTIES and _is_plain(value):
            kept.append(one)
    return ";".join(kept)


def lifted(html: str) -> tuple[str, str]:
    """The sheets of ``html``, written again from their allowed rules, and the HTML without them."""
    rules = [rule for stylesheet in _STYLESHEET.findall(html) for rule in _rules(stylesheet)]
    stylesheet = "<style>\n" + "\n".join(rules) + "\n</style>\n" if rules else ""
    return stylesheet, _STYLESHEET.sub("", html)


def _rules(stylesheet: str) -> list[str]:
    rules = []
    for selectors, text in _RULE.findall(stylesheet):
        own = [each for each in selectors.split(",") if _SELECTOR.fullmatch(each)]
        if own and (kept := declarations(text).strip()):
            rules.append(f"{','.join(own).strip()} {{ {kept} }}")
    return rules


def _is_plain(value: str) -> bool:
    return _VALUE.fullmatch(value) is not None and all(
        name.lower() in _FUNCTIONS or not name for name in _FUNCTION.findall(value)
    )
