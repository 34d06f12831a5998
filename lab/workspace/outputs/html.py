"""HTML that shows and does not act: nh3 (Ammonia) writes it again from the elements and attributes that are allowed.

There are no links in it, not even within the page, no forms, no scripts, and no address but that of a picture that the
HTML itself contains.
"""

from __future__ import annotations

import re

import mistune
import nh3

from lab.workspace.outputs import pictures, styles

TAGS = {
    "div", "span", "p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "b", "i", "strong", "em", "u", "s", "small",
    "sub", "sup", "code", "pre", "kbd", "samp", "var", "blockquote", "q", "ul", "ol", "li", "dl", "dt", "dd", "table",
    "caption", "colgroup", "col", "thead", "tbody", "tfoot", "tr", "th", "td", "details", "summary", "progress",
    "meter", "figure", "figcaption", "img", "abbr", "mark", "time", "del", "ins", "ruby", "rt", "rp",
}  # fmt: skip
_REMOVED = {"script", "style", "template", "title", "textarea", "noscript", "iframe", "object", "math", "svg"}
_ANYWHERE = {"class", "id", "style", "title", "lang", "dir", "role", "align", "valign", "width", "height", "border"}
ATTRIBUTES = {
    "*": _ANYWHERE | {"aria-label", "aria-hidden"},
    "td": {"colspan", "rowspan", "headers"},
    "th": {"colspan", "rowspan", "headers", "scope"},
    "col": {"span"},
    "colgroup": {"span"},
    "img": {"src", "alt"},
    "details": {"open"},
    "ol": {"start", "reversed"},
    "progress": {"value", "max"},
    "meter": {"value", "max", "min", "low", "high", "optimum"},
}
_ID = re.compile(r"T_\w{1,80}")  # of the cells of a styled table, which its stylesheet names
_OF_THE_PAGE = re.compile(r"(?:jp|lm|cm|jupyter|p|mjx|MathJax)-", re.IGNORECASE)
_PAGE_ROLES = frozenset({"status", "table", "row", "cell", "columnheader", "rowheader", "img", "note"})
_markdown = mistune.create_markdown(escape=False, plugins=["table", "strikethrough"])


def clean(text: str) -> str:
    """``text`` as HTML that shows and does not act."""
    stylesheet, body = styles.lifted(text)
    return stylesheet + nh3.clean(
        body,
        tags=TAGS,
        clean_content_tags=_REMOVED,
        attributes=ATTRIBUTES,
        attribute_filter=_kept,
        url_schemes={"data"},
        url_relative="deny",
        link_rel=None,
    )


def of_markdown(text: str) -> str:
    """Markdown as such HTML: the browser would render its links."""
    return clean(str(_markdown(text)))


def _kept(tag: str, name: str, value: str) -> str | None:
    """The value that an attribute keeps; None takes the attribute away."""
    if name == "style":
        return styles.declarations(value) or None
    if name == "src":
        return value if pictures.is_data_url(value) else None
    if name == "id":
        return value if _ID.fullmatch(value) else None
    if name == "role":
        return value if value in _PAGE_ROLES else None
    if name == "class":
        return " ".join(each for each in value.split(" ") if not _OF_THE_PAGE.match(each)) or None
    return value
