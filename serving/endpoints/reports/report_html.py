"""A report as an HTML page: every text is escaped, and its Content-Security-Policy allows no script and no loading."""

from __future__ import annotations

import base64
from functools import cache
from hashlib import sha256
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from serving.endpoints.reports.report_form import Report
from serving.endpoints.reports.report_layout import layout_of

PAGES = Path(__file__).with_name("pages")


@cache
def _style() -> str:
    return (PAGES / "report.css").read_text(encoding="utf-8")


@cache
def policy() -> str:
    """The Content-Security-Policy (CSP Level 3): it allows only the style sheet inside the page, identified by
    its digest.
    """
    style_digest = base64.b64encode(sha256(_style().encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{style_digest}'; base-uri 'none'; form-action 'none'"


@cache
def _template() -> Template:
    """The page's template, read once. Text from records is only a value of it, never a template."""
    environment = Environment(
        loader=FileSystemLoader(PAGES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template("report.html.j2")


def draw(report: Report) -> bytes:
    """The page's bytes, UTF-8; the same report gives the same bytes."""
    return _template().render(layout=layout_of(report), style=_Safe(_style()), policy=policy()).encode()


class _Safe(str):
    """The page's own style sheet, which is not escaped (the `__html__` protocol of MarkupSafe)."""

    __slots__ = ()

    def __html__(self) -> str:
        return self


HEADERS = {
    "Content-Security-Policy": f"{policy()}; frame-ancestors 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
