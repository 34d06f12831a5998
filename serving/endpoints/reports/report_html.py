"""A report as a page: every word escaped, no script, nothing loaded from anywhere; the page's own policy says so."""

from __future__ import annotations

import base64
from functools import cache
from hashlib import sha256
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from serving.endpoints.reports.report_form import Report

PAGES = Path(__file__).with_name("pages")


@cache
def _style() -> str:
    return (PAGES / "report.css").read_text(encoding="utf-8")


@cache
def policy() -> str:
    """The Content-Security-Policy: nothing but the one style sheet inside the page, known by its digest."""
    known = base64.b64encode(sha256(_style().encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{known}'; base-uri 'none'; form-action 'none'"


@cache
def _template() -> Template:
    """A template of ours is read once; what comes from records is only ever a value, never a template."""
    shown = Environment(loader=FileSystemLoader(PAGES), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return shown.get_template("report.html.j2")


def draw(report: Report) -> bytes:
    """The page's bytes, UTF-8; the same report gives the same bytes."""
    return _template().render(report=report, style=_Safe(_style()), policy=policy()).encode()


class _Safe(str):
    """Our own style sheet, which is not a subject's word (the protocol of MarkupSafe)."""

    __slots__ = ()

    def __html__(self) -> str:
        return self


HEADERS = {
    "Content-Security-Policy": f"{policy()}; frame-ancestors 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
